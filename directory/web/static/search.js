/**
 * The search form's help: suggestions while typing (the ARIA pattern of an editable combobox with
 * a list, chosen by hand), searches that this device remembers, and "use my location". Without it
 * the form is two plain fields.
 */

const WAIT_MS = 120;
const REMEMBERED = 5;
const STORED = "searches";

/** Searches kept on this device only; none where it keeps nothing. */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "[]");
  } catch {
    return [];
  }
}

function remember(searches) {
  try {
    localStorage.setItem(STORED, JSON.stringify(searches.slice(0, REMEMBERED)));
  } catch {
    // A device that keeps nothing remembers nothing.
  }
}

class Combobox {
  constructor(input) {
    this.input = input;
    this.words = input.form.dataset;
    this.list = document.createElement("ul");
    this.status = document.createElement("div");
    this.underway = new AbortController();
    this.at = -1;
    this.list.id = `${input.id}-suggestions`;
    this.list.className = "suggestions";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", input.labels[0].textContent);
    this.status.className = "hidden";
    this.status.setAttribute("role", "status");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.list.id);
    input.after(this.list, this.status);
    this.show([]);
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("focus", () => input.value || this.show(this.before()));
    input.addEventListener("blur", () => this.show([]));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
    this.list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.choose(option);
    });
  }

  typed() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(), WAIT_MS);
  }

  async ask() {
    const text = this.input.value.trim();
    this.underway.abort();
    if (text.length < 2) return this.show([]);
    this.underway = new AbortController();
    const asked = new URLSearchParams({ q: text.slice(0, 100), kind: this.input.dataset.suggest });
    try {
      const answer = await fetch(`/api/v1/suggest?${asked}`, { signal: this.underway.signal });
      if (answer.ok) this.show((await answer.json()).suggestions.map(({ text }) => text));
    } catch {
      this.show([]); // no suggestions are no fault: what is typed can be searched
    }
  }

  /** Searches that this device remembers, in the field for places. */
  before() {
    return this.input.name === "near" ? remembered() : [];
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
    this.list.hidden = !open;
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
    } else if (event.key === "Escape" && options.length) {
      event.preventDefault();
      this.show([]);
    }
  }

  choose(option) {
    this.input.value = option.textContent;
    this.show([]);
    this.input.focus();
  }
}

/** A button that asks where the visitor is, on a press, and tells the server a kilometre of it. */
function locate(form, near) {
  const button = form.querySelector(".locate");
  const status = form.querySelector(".located");
  button.hidden = false;
  button.addEventListener("click", () => {
    status.textContent = form.dataset.locating;
    navigator.geolocation.getCurrentPosition(
      async ({ coords }) => {
        const lat = coords.latitude.toFixed(2);
        const lon = coords.longitude.toFixed(2);
        try {
          const answer = await fetch(`/api/v1/nearest?lat=${lat}&lon=${lon}`);
          near.value = (await answer.json()).label.split(" ")[0];
          status.textContent = "";
          near.focus();
        } catch {
          status.textContent = form.dataset.failed;
        }
      },
      ({ code }) => {
        status.textContent = code === 1 ? form.dataset.denied : form.dataset.failed;
      },
      { timeout: 10_000, maximumAge: 600_000 },
    );
  });
}

for (const input of document.querySelectorAll("input[data-suggest]")) new Combobox(input);
for (const form of document.querySelectorAll("form.search")) {
  const { near } = form.elements;
  if ("geolocation" in navigator) locate(form, near);
  form.addEventListener("submit", () => {
    const place = near.value.trim();
    if (place) remember([place, ...remembered().filter((each) => each !== place)]);
  });
}
