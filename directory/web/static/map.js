/**
 * The map of the results: what is on the page, drawn on outlines that ship with the site, so that
 * nobody else learns where anyone looks. Leaflet is loaded when the map is first shown.
 */

const FOUND = document.getElementById("found");
const SCALE = 1000;
const COUNTIES_FROM = 7;
const MOST_NAMES = 24;
const APPROXIMATE_M = 1500;
const FINGER_PX = 56;
const files = new Map();

function file(name) {
  const { [name]: address } = FOUND.querySelector(".map").dataset;
  if (!files.has(name)) files.set(name, fetch(address).then((answer) => answer.json()));
  return files.get(name);
}

function loaded() {
  const { leaflet, sheet } = FOUND.querySelector(".map").dataset;
  if (!files.has("L")) {
    const script = document.createElement("script");
    const style = document.createElement("link");
    script.src = leaflet;
    style.rel = "stylesheet";
    style.href = sheet;
    const loads = (element) => new Promise((done, failed) => {
      element.addEventListener("load", done);
      element.addEventListener("error", failed);
    });
    files.set("L", Promise.all([loads(script), loads(style)]).then(() => window.L));
    document.head.append(style, script);
  }
  return files.get("L");
}

/** Lines as they are packed: a first point, then steps, in thousandths of a degree. */
function unpacked(numbers) {
  const points = [];
  let x = 0;
  let y = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    x += numbers[at];
    y += numbers[at + 1];
    points.push([y / SCALE, x / SCALE]);
  }
  return points;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Cards whose pins would lie upon each other, together: a finger needs so many pixels. */
function together(cards, pixelOf) {
  const groups = [];
  for (const card of cards) {
    const pixel = pixelOf(card);
    const near = groups.find(({ at }) => Math.hypot(at.x - pixel.x, at.y - pixel.y) < FINGER_PX);
    if (near) near.cards.push(card);
    else groups.push({ at: pixel, cards: [card] });
  }
  return groups.map((group) => group.cards);
}

function link(card, marker) {
  const element = marker.getElement();
  const mark = (on) => {
    card.classList.toggle("linked", on);
    element.classList.toggle("linked", on);
  };
  for (const each of [card, element]) {
    for (const begins of ["mouseenter", "focusin"]) each.addEventListener(begins, () => mark(true));
    for (const ends of ["mouseleave", "focusout"]) each.addEventListener(ends, () => mark(false));
  }
}

async function draw(place) {
  const L = await loaded();
  const map = L.map(place, { zoomSnap: 0.5, attributionControl: false, maxZoom: 13, minZoom: 3 });
  const pins = L.layerGroup().addTo(map);
  const names = L.layerGroup().addTo(map);
  const renderer = L.canvas();
  const cards = [...FOUND.querySelectorAll(".card[data-lat]")];
  const pointOf = ({ dataset }) => [Number(dataset.lat), Number(dataset.lon)];
  map.fitBounds(L.latLngBounds(cards.map(pointOf)).pad(0.2), { maxZoom: 11, animate: false });
  const pin = (point, text, title, links, of) => {
    const icon = L.divIcon({ className: `pin ${of}`, html: text, iconSize: [30, 30] });
    const marker = L.marker(point, { icon, title, alt: title, keyboard: true }).addTo(pins);
    const list = document.createElement("div");
    for (const { dataset, link } of links) {
      const shown = document.createElement("a");
      shown.href = link;
      shown.textContent = `${dataset.number}. ${dataset.title}`;
      list.append(shown);
    }
    return marker.bindPopup(list);
  };
  const gather = () => {
    pins.clearLayers();
    for (const group of together(cards, (card) => map.latLngToLayerPoint(pointOf(card)))) {
      const links = group.map((card) => ({ dataset: card.dataset, link: card.querySelector("h2 a").href }));
      if (group.length === 1) {
        const [card] = group;
        const title = `${card.dataset.number}. ${card.dataset.title}`;
        link(card, pin(pointOf(card), card.dataset.number, title, links, "one"));
        continue;
      }
      const bounds = L.latLngBounds(group.map(pointOf));
      const title = place.dataset.many.replace("#", group.length);
      const marker = pin(bounds.getCenter(), `${group.length}+`, title, links, "many");
      group.forEach((card) => link(card, marker));
      if (map.getZoom() < map.getMaxZoom()) {
        marker.unbindPopup().on("click keypress", ({ originalEvent }) => {
          if ((originalEvent.key ?? "Enter") === "Enter") map.fitBounds(bounds.pad(0.3));
        });
      }
    }
  };
  for (const card of cards.filter(({ dataset }) => dataset.approximate)) {
    L.circle(pointOf(card), { radius: APPROXIMATE_M, color: colour("accent"), weight: 1, interactive: false }).addTo(map);
  }
  map.on("zoomend", gather);
  gather();
  const drawn = async (name, weight) => {
    const lines = (await file(name)).map(unpacked);
    return L.polyline(lines, { renderer, color: colour("soft"), weight, interactive: false });
  };
  (await drawn("states", 1.5)).addTo(map);
  const cities = await file("cities");
  const look = async () => {
    const seen = map.getBounds();
    names.clearLayers();
    for (const [name, lat, lon] of cities.filter(([, ...at]) => seen.contains(at)).slice(0, MOST_NAMES)) {
      const icon = L.divIcon({ className: "town", html: "", iconSize: [0, 0] });
      const marker = L.marker([lat, lon], { icon, interactive: false, keyboard: false }).addTo(names);
      marker.getElement().textContent = name;
      marker.getElement().setAttribute("aria-hidden", "true");
    }
    if (map.getZoom() >= COUNTIES_FROM && !files.has("drawn")) {
      files.set("drawn", true);
      (await drawn("counties", 0.5)).addTo(map);
    }
  };
  map.on("moveend", look);
  await look();
  return map;
}

let shown = null;

async function show(button, place) {
  const opens = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(opens));
  place.parentElement.classList.toggle("with-map", opens);
  place.hidden = !opens;
  if (opens) shown = await draw(place);
  else shown?.remove();
  if (!opens) files.delete("drawn");
}

/** The button is the server's; it works once there is something to draw with. */
function ready() {
  const button = FOUND.querySelector(".show-map");
  if (!button) return;
  files.delete("drawn");
  button.hidden = false;
  button.addEventListener("click", () => show(button, FOUND.querySelector(".map")));
}

document.addEventListener("found", ready);
ready();
