/** The moderation queue by the keyboard: j and k go down and up, x ticks, Enter opens (a link does). */

const entries = [...document.querySelectorAll("[data-entry]")];
const linkOf = (entry) => entry.querySelector("a");

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input[type=text], textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const here = entries.findIndex((entry) => entry.contains(document.activeElement));
  if (event.key === "j") linkOf(entries[Math.min(here + 1, entries.length - 1)])?.focus();
  if (event.key === "k" && here > 0) linkOf(entries[here - 1]).focus();
  if (event.key === "x" && here >= 0) entries[here].querySelector("input[type=checkbox]")?.click();
});
