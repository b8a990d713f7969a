/**
 * The map of the results: those of the page as numbered pins, those of the other pages as counts
 * that the search engine makes.
 */

const FOUND = document.getElementById("found");
const APPROXIMATE_M = 1500;
const FINGER_PX = 56;
const OVERVIEW_ZOOM = 8;
const DEEPEST_ZOOM = 14;
const TILES_PER_VIEW = 2; // a count's tile is 2 ** 2 times as fine as the map's: 64 pixels
const METRES_PER = { mi: 1609.344, km: 1000 };
const WIDEST_M = 500 * METRES_PER.mi;

/** Which tile of the web's square map a point lies in. */
function tileOf([lat, lon], zoom) {
  const sine = Math.sin((lat * Math.PI) / 180);
  const north = Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  return [Math.floor(((lon + 180) / 360) * 2 ** zoom), Math.floor((0.5 - north) * 2 ** zoom)].join();
}

/** What is found on the other pages, counted by the server: points with a count each. */
async function others(address, zoom, cards) {
  const answer = await fetch(`${address}&zoom=${zoom}`);
  if (!answer.ok) return [];
  const { zoom: level, clusters } = await answer.json();
  const here = new Map();
  for (const { at } of cards) here.set(tileOf(at, level), (here.get(tileOf(at, level)) ?? 0) + 1);
  return clusters
    .map(({ tile, lat, lon, count }) => ({ at: [lat, lon], count: count - (here.get(tile.join()) ?? 0) }))
    .filter(({ count }) => count > 0);
}

/** What would lie upon each other, together: a finger needs so many pixels. */
function together(points, pixelOf) {
  const groups = [];
  for (const point of points) {
    const pixel = pixelOf(point.at);
    const near = groups.find(({ at }) => Math.hypot(at.x - pixel.x, at.y - pixel.y) < FINGER_PX);
    if (near) near.points.push(point);
    else groups.push({ at: pixel, points: [point] });
  }
  return groups.map((group) => group.points);
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

/** A button that searches around the middle of what is looked at, of which a kilometre is told. */
function offer(map, place) {
  const form = place.parentElement.querySelector(".area");
  if (!form) return; // in another site's page
  const { lat, lng } = map.getCenter().wrap();
  const seen = map.getBounds();
  const reach = Math.max(
    map.distance(seen.getCenter(), [seen.getNorth(), seen.getCenter().lng]),
    map.distance(seen.getCenter(), [seen.getCenter().lat, seen.getEast()]),
  );
  form.elements.lat.value = lat.toFixed(2);
  form.elements.lon.value = lng.toFixed(2);
  form.elements.radius.value = Math.max(1, Math.floor(Math.min(reach, WIDEST_M) / METRES_PER[form.dataset.units]));
  form.hidden = false;
}

let shown = null;

async function draw(place) {
  const { colour, drawBelow, leaflet } = await import("./basemap.js");
  const L = await leaflet(place.dataset);
  const map = L.map(place, { zoomSnap: 0.5, attributionControl: false, maxZoom: 13, minZoom: 3 });
  const pins = L.layerGroup().addTo(map);
  const { clusters, many, more } = place.dataset;
  const cards = [...FOUND.querySelectorAll(".card[data-lat]")].map((card) => ({
    card,
    at: [Number(card.dataset.lat), Number(card.dataset.lon)],
    count: 1,
    title: `${card.dataset.number}. ${card.dataset.title}`,
  }));
  let counted = clusters ? await others(clusters, OVERVIEW_ZOOM, cards) : [];
  const everywhere = L.latLngBounds([...cards, ...counted].map(({ at }) => at));
  map.fitBounds(everywhere.pad(0.2), { maxZoom: 11, animate: false });
  const pin = (group, point, text, title, size) => {
    const icon = L.divIcon({ className: `pin ${size === 30 ? "one" : "many"}`, html: text, iconSize: [size, size] });
    const marker = L.marker(point, { icon, title, alt: title, keyboard: true }).addTo(pins);
    for (const { card } of group) if (card) link(card, marker);
    return marker;
  };
  const popup = (group) => {
    const list = document.createElement("div");
    for (const { card, title } of group.filter(({ card }) => card)) {
      const shown = document.createElement("a");
      shown.href = card.querySelector("h2 a").href;
      shown.textContent = title;
      shown.target = card.querySelector("h2 a").target;
      list.append(shown);
    }
    const count = group.filter(({ card }) => !card).reduce((sum, each) => sum + each.count, 0);
    if (count) list.append(more.replace("#", count));
    return list;
  };
  const gather = () => {
    const focused = place.contains(document.activeElement) && document.activeElement.title;
    pins.clearLayers();
    for (const group of together([...cards, ...counted], (at) => map.latLngToLayerPoint(at))) {
      const [{ card, at, title }, ...rest] = group;
      if (card && !rest.length) {
        pin(group, at, card.dataset.number, title, 30).bindPopup(popup(group));
        continue;
      }
      const count = group.reduce((sum, each) => sum + each.count, 0);
      const bounds = L.latLngBounds(group.map((each) => each.at));
      const marker = pin(group, bounds.getCenter(), count, many.replace("#", count), 40);
      if (map.getZoom() === map.getMaxZoom()) marker.bindPopup(popup(group));
      else {
        const closer = Math.min(map.getZoom() + 2, map.getMaxZoom());
        marker.on("click keypress", ({ originalEvent }) => {
          if ((originalEvent.key ?? "Enter") !== "Enter") return;
          if (rest.length) map.fitBounds(bounds.pad(0.3));
          else map.setView(at, closer);
        });
      }
    }
    const same = (marker) => focused && marker.getElement().title === focused;
    pins.getLayers().find(same)?.getElement().focus({ preventScroll: true });
  };
  let level = 0;
  const count = async () => {
    gather();
    const wanted = Math.min(DEEPEST_ZOOM, Math.round(map.getZoom()) + TILES_PER_VIEW);
    if (!clusters || wanted === level) return;
    level = wanted;
    const found = await others(clusters, wanted, cards);
    if (level !== wanted || shown !== map) return; // zoomed on meanwhile, or closed
    counted = found;
    gather();
  };
  for (const { at } of cards.filter(({ card }) => card.dataset.approximate)) {
    L.circle(at, { radius: APPROXIMATE_M, color: colour("accent"), weight: 1, interactive: false }).addTo(map);
  }
  shown = map;
  await count();
  map.on("zoomend", count);
  map.on("moveend", () => offer(map, place));
  await drawBelow(L, map, place.dataset);
}

let open = location.hash === "#map";

async function show(button, area) {
  button.setAttribute("aria-expanded", String(open));
  area.parentElement.classList.toggle("with-map", open);
  area.hidden = !open;
  shown?.remove();
  shown = null;
  if (open) await draw(area.querySelector(".map"));
}

/** The button is the server's; it works once there is something to draw with. */
function ready() {
  const button = FOUND.querySelector(".show-map");
  if (!button) return;
  const area = FOUND.querySelector(".map-area");
  button.hidden = false;
  button.addEventListener("click", () => {
    open = !open;
    show(button, area);
  });
  if (open) show(button, area);
}

document.addEventListener("found", ready);
ready();
