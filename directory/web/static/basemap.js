/**
 * What every map lies upon: outlines and names that ship with the site, so that nobody else learns
 * where anyone looks (an operator may set tiles of a server instead). Leaflet is loaded when a map
 * is first shown. The addresses of all of it stand at the map's element.
 */

const SCALE = 1000;
const COUNTIES_FROM = 7;
const MOST_NAMES = 24;
const NAME_PX = [110, 18];
const files = new Map();

function once(address, begin) {
  if (!files.has(address)) files.set(address, begin(address));
  return files.get(address);
}

const json = (address) => once(address, () => fetch(address).then((answer) => answer.json()));

/** Leaflet, once it is there. */
export function leaflet({ leaflet: address, sheet }) {
  return once(address, () => {
    const script = document.createElement("script");
    const style = document.createElement("link");
    script.src = address;
    style.rel = "stylesheet";
    style.href = sheet;
    const loads = (element) => new Promise((done, failed) => {
      element.addEventListener("load", done);
      element.addEventListener("error", failed);
    });
    document.head.append(style, script);
    return Promise.all([loads(script), loads(style)]).then(() => window.L);
  });
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

/** A colour of the page, light or dark. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Draw what lies below: states, counties once they are large enough, and the larger cities. */
export async function drawBelow(L, map, { tiles, states, counties, cities }) {
  if (tiles) {
    L.tileLayer(tiles, { referrerPolicy: "no-referrer" }).addTo(map);
    return;
  }
  const renderer = L.canvas();
  const names = L.layerGroup().addTo(map);
  const drawn = async (address, weight) => {
    const lines = (await json(address)).map(unpacked);
    return L.polyline(lines, { renderer, color: colour("soft"), weight, interactive: false });
  };
  (await drawn(states, 1.5)).addTo(map);
  const towns = await json(cities);
  let hasCounties = false;
  const look = async () => {
    const seen = map.getBounds();
    names.clearLayers();
    const written = [];
    for (const [name, lat, lon] of towns.filter(([, ...at]) => seen.contains(at))) {
      const pixel = map.latLngToLayerPoint([lat, lon]);
      const isFree = written.every(({ x, y }) => Math.abs(x - pixel.x) > NAME_PX[0] || Math.abs(y - pixel.y) > NAME_PX[1]);
      if (!isFree || written.length === MOST_NAMES) continue;
      written.push(pixel);
      const icon = L.divIcon({ className: "town", html: "", iconSize: [0, 0] });
      const marker = L.marker([lat, lon], { icon, interactive: false, keyboard: false }).addTo(names);
      marker.getElement().textContent = name;
      marker.getElement().setAttribute("aria-hidden", "true");
    }
    if (map.getZoom() >= COUNTIES_FROM && !hasCounties) {
      hasCounties = true;
      (await drawn(counties, 0.5)).addTo(map);
    }
  };
  map.on("moveend", look);
  await look();
}
