/**
 * The search in another site's page: how it looks there, and what the two tell each other.
 * Nothing that somebody has typed, and no place, leaves this frame. docs/embed.md is the contract.
 */

const root = document.documentElement;
const { scheme, theme } = root.dataset;
const origin = root.dataset.origin === "self" ? location.origin : root.dataset.origin;
const READABLE = 4.5;
const COLOUR = /^#[0-9a-f]{6}$/i;
const FONT = /^[\w ,'"-]{1,200}$/;
const LARGEST_RADIUS = 32;
const DRESSED = ["surface", "paper", "ink", "soft", "line", "wrong", "accent", "accent-strong", "on-accent", "radius"];
const kept = JSON.parse(theme);
let worn = kept;

function tell(type, detail = {}) {
  if (origin && parent !== window) parent.postMessage({ v: 1, type, detail }, origin);
}

/** Light or dark whatever the device prefers: the palette's own media query is answered by hand. */
function choose(wanted) {
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule.media?.mediaText.includes("prefers-color-scheme")) rule.media.mediaText = wanted === "dark" ? "all" : "not all";
    }
  }
}

/** How well one colour reads on another (WCAG 2.2, contrast ratio). */
function contrast(one, other) {
  const [darker, lighter] = [one, other].map(luminance).sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const ours = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const set = (name, value) => root.style.setProperty(`--${name}`, value);

/** A share of one colour (0 to 1) in another. */
function mixed(one, share, other) {
  const parts = [1, 3, 5].map((at) => {
    const [a, b] = [one, other].map((colour) => parseInt(colour.slice(at, at + 2), 16));
    return Math.round(a * share + b * (1 - share)).toString(16).padStart(2, "0");
  });
  return `#${parts.join("")}`;
}

/** What of a theme is right and can be read; the rest is as it is without one. */
function dress(wanted) {
  for (const name of DRESSED) root.style.removeProperty(`--${name}`);
  document.body.style.removeProperty("font-family");
  const said = (name) => (COLOUR.test(wanted[name] ?? "") ? wanted[name].toLowerCase() : null);
  const surface = said("surface") ?? ours("surface");
  const text = said("text") ?? ours("ink");
  const accent = said("accent") ?? ours("accent");
  const readable = (...colours) => colours.find((colour) => contrast(colour, surface) >= READABLE) ?? text;
  if (contrast(text, surface) >= READABLE) {
    const chosen = readable(accent, ours("accent"));
    set("surface", surface);
    set("paper", surface);
    set("ink", text);
    set("soft", readable(mixed(text, 0.85, surface)));
    set("line", said("border") ?? mixed(text, 0.2, surface));
    set("wrong", readable(ours("wrong")));
    set("accent", chosen);
    set("accent-strong", readable(mixed(chosen, 0.75, text)));
    set("on-accent", contrast("#ffffff", chosen) >= contrast("#000000", chosen) ? "#ffffff" : "#000000");
  }
  const radius = Number.parseInt(wanted.radius, 10);
  if (radius >= 0 && radius <= LARGEST_RADIUS) set("radius", `${radius}px`);
  if (FONT.test(wanted.font ?? "")) document.body.style.fontFamily = wanted.font;
}

/** How many were found, and by which filters: never where, nor what was typed. */
function searched() {
  const said = document.querySelector(".said");
  if (!said) return;
  const { total, radius, filters } = said.dataset;
  tell("searched", {
    total: Number(total),
    radius_m: radius ? Number(radius) : null,
    filters: filters ? filters.split(" ") : [],
  });
}

addEventListener("message", ({ origin: from, source, data }) => {
  if (from === origin && source === parent && data?.v === 1 && data.type === "theme") dress((worn = { ...kept, ...data.detail }));
});
document.addEventListener("click", ({ target }) => {
  const link = target.closest(".card a");
  if (!link) return;
  const { id } = link.closest(".card").dataset;
  if (link.protocol === "tel:") tell("contact", { id, by: "telephone" });
  else tell("opened", { id });
});
document.addEventListener("found", searched);

if (scheme !== "auto") choose(scheme);
dress(worn);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dress(worn));
new ResizeObserver(() => tell("resize", { height: Math.ceil(root.getBoundingClientRect().height) })).observe(root);
tell("ready");
searched();
