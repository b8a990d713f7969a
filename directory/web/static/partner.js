/** The preview follows the form as it is typed, and is as high as what it shows. */

const form = document.querySelector("form.theme");
const frame = document.querySelector(".preview-frame");
const MOST_PX = 1_200;

function show() {
  const detail = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  frame.contentWindow.postMessage({ v: 1, type: "theme", detail }, location.origin);
}

addEventListener("message", ({ origin, source, data }) => {
  if (origin !== location.origin || source !== frame.contentWindow || data?.v !== 1) return;
  if (data.type === "resize") frame.style.height = `${Math.min(MOST_PX, data.detail.height)}px`;
  if (data.type === "ready") show();
});
form.addEventListener("input", ({ target }) => {
  if (target.name !== "scheme") return show();
  const address = new URL(frame.src);
  address.searchParams.set("scheme", target.value);
  frame.src = address.href;
});
