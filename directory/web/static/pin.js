/**
 * A pin for an address in a form: the map shows the ZIP once it is typed; pressing on the map or
 * moving the pin fills in the coordinates, which can be typed as well.
 */

import { drawBelow, leaflet } from "./basemap.js";

const CLOSE = { tiles: 15, outlines: 9 }; // outlines have no streets
const DIGITS = 5; // a metre
const ZIP = /^\d{5}/;

async function draw(place, start, form) {
  const { pin: name, set, label, tiles } = place.dataset;
  const [lat, lon] = ["lat", "lon"].map((end) => form.elements[`${name}.${end}`]);
  const L = await leaflet(place.dataset);
  place.hidden = false;
  const zoom = tiles ? CLOSE.tiles : CLOSE.outlines;
  const map = L.map(place, { attributionControl: false, maxZoom: 17, minZoom: 4 }).setView(start, zoom);
  const icon = L.divIcon({ className: "pin one", html: "", iconSize: [30, 30] });
  const marker = L.marker(start, { icon, draggable: true, keyboard: false, title: label, alt: label }).addTo(map);
  const put = ({ lat: north, lng: east }) => {
    lat.value = north.toFixed(DIGITS);
    lon.value = east.toFixed(DIGITS);
    form.elements[`${name}.precision`].value = "rooftop";
    form.elements[`${name}.of`].value = ""; // it is of the address as it is typed now
    form.querySelector("[data-pin-said]").textContent = set;
    marker.setLatLng([north, east]);
    form.dispatchEvent(new Event("change"));
  };
  map.on("click", ({ latlng }) => put(latlng.wrap()));
  marker.on("dragend", () => put(marker.getLatLng().wrap()));
  await drawBelow(L, map, place.dataset);
  return (point) => {
    marker.setLatLng(point);
    map.setView(point, map.getZoom());
  };
}

async function middleOf(zip, address) {
  const answer = await fetch(`${address}?q=${zip}`);
  if (!answer.ok) return null;
  const { places: [{ lat, lon }] } = await answer.json();
  return [lat, lon];
}

async function begin(place) {
  const form = place.closest("form");
  const [lat, lon] = ["lat", "lon"].map((end) => form.elements[`${place.dataset.pin}.${end}`]);
  const zip = form.elements["address.postal_code"];
  const typed = () => [lat.value, lon.value].map((value) => Number(value.trim() || NaN));
  const isSet = () => typed().every(Number.isFinite);
  let move = null;
  const show = async (point) => {
    if (move) move(point);
    else move = await draw(place, point, form);
  };
  if (isSet()) await show(typed());
  else if (place.dataset.middle) await show(place.dataset.middle.split(",").map(Number));
  for (const input of [lat, lon]) input.addEventListener("change", () => isSet() && show(typed()));
  zip.addEventListener("change", async () => {
    const [five] = ZIP.exec(zip.value.trim()) ?? [];
    const point = five && (await middleOf(five, place.dataset.places));
    if (!point) return;
    lat.value = "";
    lon.value = "";
    await show(point);
  });
}

for (const place of document.querySelectorAll("[data-pin]")) begin(place);
