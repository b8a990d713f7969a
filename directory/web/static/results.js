/**
 * Filters, chips and page numbers without a full reload: the server renders the whole page as
 * always, and what was found is taken from it. Whatever goes wrong, the browser just goes there.
 */

const WAIT_MS = 150;
const found = document.getElementById("found");
const headline = document.getElementById("headline");
let underway = new AbortController();
let waiting = 0;
let shown = location.search;

/** What an element is found again by, once the results have been replaced. */
function nameOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.name) return `[name="${CSS.escape(element.name)}"][value="${CSS.escape(element.value)}"]`;
  return null;
}

async function show(address, { push, focus }) {
  underway.abort();
  underway = new AbortController();
  found.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: underway.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.getElementById("found");
    if (!answer.ok || !news) throw new Error(answer.statusText);
    for (const folded of found.querySelectorAll("details[id]")) {
      const same = news.querySelector(`#${folded.id}`);
      if (same) same.open = folded.open;
    }
    found.replaceChildren(...news.childNodes);
    headline.replaceChildren(...page.getElementById("headline").childNodes);
    document.title = page.title;
    if (push) history.pushState(null, "", address);
    shown = location.search;
    const target = focus && (found.querySelector(focus) ?? document.querySelector(focus));
    target?.focus({ preventScroll: focus !== "h1" });
    document.dispatchEvent(new Event("found"));
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  } finally {
    found.removeAttribute("aria-busy");
  }
}

function addressOf(form) {
  const address = new URL(form.action);
  const filled = [...new FormData(form)].filter(([, value]) => value !== "");
  address.search = new URLSearchParams(filled).toString();
  return address.href;
}

found.addEventListener("change", ({ target }) => {
  const form = target.closest(".filters form");
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(addressOf(form), { push: true, focus: nameOf(target) }), WAIT_MS);
});

found.addEventListener("submit", (event) => {
  if (!event.target.closest(".filters")) return;
  event.preventDefault();
  show(addressOf(event.target), { push: true, focus: "h1" });
});

found.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (!link || link.hash || !isPlain || new URL(link.href).pathname !== location.pathname) return;
  event.preventDefault();
  show(link.href, { push: true, focus: "h1" });
});

addEventListener("popstate", () => {
  if (location.search !== shown) show(location.href, { push: false, focus: null });
});
document.documentElement.classList.add("live");
