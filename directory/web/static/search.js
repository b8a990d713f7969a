/**
 * The search form's help: suggestions while typing (the ARIA pattern of an editable combobox with
 * a list, chosen by hand), searches that this device remembers, and "use my location". Without it
 * the form is two plain fields.
 */

const WAIT_MS = 120;
const REMEMBERED = 5;
const STORED = "searches";

/** Searches kept on this device only; none where it keeps nothing, or something else. */
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORED));
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

function remember(searches) {
  try {
    if (searches.length) localStorage.setItem(STORED, JSON.stringify(searches.slice(0, REMEMBERED)));
    else localStorage.removeItem(STORED);
  } catch {
    // A device that keeps nothing remembers nothing.
  }
}

class Combobox {
  constructor(input) {
    this.input = input;
    this.words = input.form.dataset;
    this.popup = document.createElement("div");
    this.list = document.createElement("ul");
    this.forget = input.form.querySelector(`.forget[data-of="${input.id}"]`);
    this.status = document.createElement("div");
    this.underway = new AbortController();
    this.at = -1;
    this.list.id = `${input.id}-suggestions`;
    this.popup.className = "suggestions";
    this.popup.append(this.list, ...(this.forget ? [this.forget] : []));
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", input.labels[0].textContent);
    this.status.className = "hidden";
    this.status.setAttribute("role", "status");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.list.id);
    input.after(this.popup, this.status);
    this.show([]);
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("focus", () => input.value || this.recall());
    for (const each of [input, this.popup]) {
      each.addEventListener("focusout", ({ relatedTarget }) => {
        if (relatedTarget !== input && !this.popup.contains(relatedTarget)) this.close();
      });
    }
    this.popup.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
    this.forget?.addEventListener("click", () => {
      remember([]);
      input.focus();
      this.close();
      this.status.textContent = this.words.forgotten;
    });
    this.list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.choose(option);
    });
  }

  typed() {
    this.rest();
    const text = this.input.value.trim();
    if (!text) this.recall();
    else if (text.length < 2) this.show([]);
    else this.waiting = setTimeout(() => this.ask(text), WAIT_MS);
  }

  async ask(text) {
    const { signal } = (this.underway = new AbortController());
    const { suggest: kind } = this.input.dataset;
    const { lang } = document.documentElement;
    const { key } = this.words;
    try {
      const asked = new URLSearchParams({ q: text.slice(0, 100), kind, lang, ...(key && { key }) });
      const answer = await fetch(`/api/v1/suggest?${asked}`, { signal });
      const texts = answer.ok ? (await answer.json()).suggestions.map(({ text }) => text) : [];
      if (!signal.aborted) this.show(texts);
    } catch {
      if (!signal.aborted) this.show([]); // no fault: what is typed can be searched
    }
  }

  /** Ask for nothing any more, and let nothing that was asked for come. */
  rest() {
    clearTimeout(this.waiting);
    this.underway.abort();
  }

  close() {
    this.rest();
    this.show([]);
  }

  /** Show the searches that this device remembers, and the button that forgets them. */
  recall() {
    if (!this.forget) return this.show([]);
    this.show(remembered());
    this.forget.hidden = this.popup.hidden;
  }

  show(texts) {
    this.at = -1;
    this.list.replaceChildren(
      ...texts.map((text, number) => {
        const option = document.createElement("li");
        option.id = `${this.list.id}-${number}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = text;
        return option;
      }),
    );
    const open = texts.length > 0;
    this.popup.hidden = !open;
    if (this.forget) this.forget.hidden = true;
    this.input.setAttribute("aria-expanded", String(open));
    this.input.removeAttribute("aria-activedescendant");
    this.status.textContent = open ? this.words.suggestions.replace("#", texts.length) : "";
  }

  pressed(event) {
    const options = [...this.list.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      event.preventDefault();
      this.at = (this.at + step + (this.at < 0 && step < 0 ? 1 : 0) + options.length) % options.length;
      options.forEach((each, n) => each.setAttribute("aria-selected", String(n === this.at)));
      options[this.at].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", options[this.at].id);
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.choose(options[this.at]);
    } else if (event.key === "Escape") {
      if (options.length) event.preventDefault();
      this.close();
    }
  }

  choose(option) {
    this.input.value = option.textContent;
    this.close();
    this.input.focus();
  }
}

/** The ZIP nearest to a point, of which the server is told a kilometre, and no address anything. */
async function zipNear(latitude, longitude) {
  const body = JSON.stringify({ lat: Number(latitude.toFixed(2)), lon: Number(longitude.toFixed(2)) });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/api/v1/nearest", { method: "POST", headers, body });
  if (!answer.ok) throw new Error(answer.statusText);
  return (await answer.json()).label.split(" ")[0];
}

/** A button that asks where the visitor is, on a press, and tells the server a kilometre of it. */
function locate(form, near) {
  const button = form.querySelector(".locate");
  if (!button) return;
  const status = form.querySelector(".located");
  button.hidden = false;
  button.addEventListener("click", () => {
    status.textContent = form.dataset.locating;
    navigator.geolocation.getCurrentPosition(
      async ({ coords }) => {
        try {
          near.value = await zipNear(coords.latitude, coords.longitude);
          status.textContent = "";
          near.focus();
        } catch {
          status.textContent = form.dataset.failed;
        }
      },
      ({ code }) => {
        status.textContent = { 1: form.dataset.denied, 3: form.dataset.late }[code] ?? form.dataset.failed;
      },
      { timeout: 10_000, maximumAge: 600_000 },
    );
  });
}

for (const input of document.querySelectorAll("input[data-suggest]")) new Combobox(input);
for (const form of document.querySelectorAll("form.search")) {
  const { near } = form.elements;
  if (near.type === "hidden") continue; // another site's page has fixed the place
  if ("geolocation" in navigator) locate(form, near);
  form.addEventListener("submit", () => {
    const place = near.value.trim();
    if (place) remember([place, ...remembered().filter((each) => each !== place)]);
  });
}
