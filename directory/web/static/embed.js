/**
 * <practitioner-search key="…">: the search of a dry-needling directory, in any page.
 * Version 1 stays as it is for good; docs/embed.md is the contract.
 */
(() => {
  const { src } = document.currentScript;
  const HOME = new URL(src).origin;
  const PRESETS = [
    "near", "radius", "units", "q", "profession", "technique", "condition", "insurance", "setting",
    "language", "cash_pay", "max_price", "accepting", "wheelchair_access", "home_visits", "telehealth",
    "gender", "evidence", "confirmed", "licence_checked", "sort", "limit",
  ];
  const PASSED = ["key", "lock", "hide", "lang", "scheme", ...PRESETS];
  const THEME = ["accent", "text", "surface", "border", "radius", "font"];
  const EVENTS = ["ready", "searched", "opened", "contact"];
  const TITLES = { en: "Find a practitioner of dry needling", es: "Encuentre quien haga punción seca" };
  const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox";
  const WAIT_MS = 8_000;
  const LEAST_PX = 120;
  const MOST_PX = 20_000;

  class PractitionerSearch extends HTMLElement {
    static observedAttributes = [...PASSED, "label", "locate"];

    covered = []; // what is hidden while the frame is to be seen

    connectedCallback() {
      if (HOME === location.origin) return console.error("practitioner-search is for other sites' pages");
      this.heard = (event) => this.hear(event);
      addEventListener("message", this.heard);
      this.seen = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.load(), { rootMargin: "600px" });
      this.style.display ||= "block";
      this.style.position ||= "relative";
      const { minHeight } = getComputedStyle(this);
      if (!parseFloat(minHeight)) this.style.minHeight = this.expected; // what lies below does not move
      this.seen.observe(this);
    }

    disconnectedCallback() {
      removeEventListener("message", this.heard);
      this.seen?.disconnect();
      this.leave();
    }

    attributeChangedCallback() {
      if (this.wasSeen) this.load();
    }

    get language() {
      return (this.getAttribute("lang") || document.documentElement.lang || "en").slice(0, 2).toLowerCase();
    }

    /** How high it will be: results fill more than the window, the form alone has its own height. */
    get expected() {
      if (this.getAttribute("near")) return "100vh";
      return this.clientWidth < 740 ? "42rem" : "27rem";
    }

    load() {
      this.seen.disconnect();
      this.wasSeen = true;
      this.leave();
      const address = new URL("/embed/v1/frame", HOME);
      for (const name of PASSED) {
        const value = this.getAttribute(name);
        const isOne = name === "near" || name === "q" || name === "lock" || name === "hide";
        for (const each of value ? (isOne ? [value] : value.split(",")) : []) address.searchParams.append(name, each.trim());
      }
      address.searchParams.set("lang", this.language);
      address.searchParams.set("origin", location.origin);
      if (this.hasAttribute("locate")) address.searchParams.set("locate", "yes");
      const frame = document.createElement("iframe");
      frame.title = this.getAttribute("label") || TITLES[this.language] || TITLES.en;
      frame.setAttribute("sandbox", SANDBOX);
      frame.referrerPolicy = "no-referrer";
      if (this.hasAttribute("locate")) frame.allow = "geolocation";
      // Over the link, and not to be seen until it answers: so nothing moves, and the link stays
      // where it never does.
      frame.style.cssText = "position:absolute;inset:0;width:100%;height:100%;border:0;visibility:hidden";
      frame.src = address.href;
      this.waiting = setTimeout(() => this.fail(), WAIT_MS);
      this.frame = frame;
      this.append(frame);
    }

    leave() {
      clearTimeout(this.waiting);
      this.frame?.remove();
      this.frame = null;
      for (const each of this.covered) each.hidden = false;
      this.covered = [];
    }

    fail() {
      this.leave();
      this.style.minHeight = "";
      console.error(`practitioner-search: no answer. Is ${location.origin} among the key's origins? ${HOME}/api/docs#embed`);
    }

    hear({ origin, source, data }) {
      if (origin !== HOME || source !== this.frame?.contentWindow || data?.v !== 1) return;
      const { type, detail } = data;
      if (type === "resize") {
        const height = Math.min(MOST_PX, Math.max(LEAST_PX, Number(detail.height) || LEAST_PX));
        this.style.minHeight = `${height}px`;
      } else if (EVENTS.includes(type)) {
        if (type === "ready") this.ready();
        this.dispatchEvent(new CustomEvent(`directory:${type}`, { bubbles: true, composed: true, detail }));
      }
    }

    ready() {
      clearTimeout(this.waiting);
      this.frame.style.visibility = "visible";
      const covered = [...this.children].filter((each) => each !== this.frame && !each.hidden);
      for (const each of covered) each.hidden = true;
      this.covered.push(...covered);
      this.refreshTheme();
    }

    /** Tell the frame the theme anew; the element cannot see a stylesheet change. */
    refreshTheme() {
      const style = getComputedStyle(this);
      const said = THEME.map((name) => [name, style.getPropertyValue(`--directory-${name}`).trim()]);
      const detail = Object.fromEntries(said.filter(([, value]) => value));
      this.frame?.contentWindow.postMessage({ v: 1, type: "theme", detail }, HOME);
    }

    focus() {
      this.frame?.focus();
    }
  }

  if (!customElements.get("practitioner-search")) customElements.define("practitioner-search", PractitionerSearch);
})();
