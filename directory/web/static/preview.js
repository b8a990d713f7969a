/**
 * The card as patients will see it, drawn anew while somebody fills in the form: the server draws
 * it from what is typed so far and keeps nothing.
 */

const WAIT_MS = 400;
const place = document.querySelector("[data-preview]");
const form = document.querySelector("form[data-previewed]");
let underway = new AbortController();
let waiting = 0;

async function show() {
  underway.abort();
  underway = new AbortController();
  const { signal } = underway;
  try {
    const answer = await fetch(place.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), signal });
    if (answer.ok) place.innerHTML = await answer.text();
  } catch (error) {
    if (error.name !== "AbortError") return; // offline: the form works without it
  }
}

for (const event of ["input", "change"]) {
  form?.addEventListener(event, () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, WAIT_MS);
  });
}
