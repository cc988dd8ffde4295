// The widget on the shop's pages: remembers by which link a visitor came, and shows customers their own.
// <script src="https://good.example/widget.js" data-key="KEY" async></script> and <goodword-refer></goodword-refer>
(() => {
  const script = document.currentScript;
  const base = new URL(script.src).origin;
  const key = script.dataset.key || "";
  const STORE = "goodword";
  const DAY = 86400000;
  const PROVISIONAL = 30;
  const objects = navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";

  let consent = script.dataset.consent !== "wait" && !objects;
  let asked = 0; // how often was asked by which link: an answer that comes too late counts for nothing
  let found = { ref: "", click: "" }; // by which link this visitor came
  let visit = ""; // what the visit of this very page was recorded as
  let identity = "";
  let configs = {}; // one a language and placement, forgotten when the visitor is identified

  const call = (path, { body, keep = false, headers = {} } = {}) =>
    fetch(`${base}/api/v1/${path}`, {
      method: body ? "POST" : "GET",
      headers: { Authorization: `Bearer ${key}`, ...(body && { "Content-Type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
      credentials: keep ? "include" : "omit",
      keepalive: Boolean(body),
    }).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`${path}: ${answer.status}`))));

  // What is remembered

  const recall = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(STORE) || "null");
      return kept && kept.until > Date.now() ? { ref: kept.ref, click: kept.click } : null;
    } catch {
      return null; // storage is closed to us
    }
  };

  const remember = (days) => {
    if (!consent || !found.ref) return;
    try {
      localStorage.setItem(STORE, JSON.stringify({ ...found, until: Date.now() + days * DAY }));
    } catch {
      // storage is closed to us: this page alone knows
    }
  };

  const drop = () => {
    try {
      localStorage.removeItem(STORE);
    } catch {
      // nothing was kept
    }
  };

  const tell = () => {
    for (const field of document.querySelectorAll("input[data-goodword]")) {
      field.value = found[field.dataset.goodword] || "";
    }
    document.dispatchEvent(new CustomEvent("goodword:attribution", { detail: { ...found } }));
  };

  const utm = (query) => Object.fromEntries([...query].filter(([name]) => /^utm_(source|medium|campaign|term|content|id)$/.test(name)));

  const capture = async () => {
    const query = new URLSearchParams(location.search);
    const [ref, click] = [query.get("ref") || "", query.get("click") || visit];
    if (!ref && !click) {
      found = (consent && recall()) || found;
      return tell();
    }
    const before = recall();
    const mine = ++asked;
    found = { ref, click };
    remember(PROVISIONAL); // the visitor may go on before the answer is there
    tell();
    try {
      const body = { keep: consent, utm: utm(query), ...(click ? { click_id: click, code: ref } : { code: ref }) };
      if (!ref) delete body.code;
      const answer = await call("clicks", { body, keep: consent });
      if (mine !== asked) return consent || unkeep(); // the answer may have brought cookies that are unwanted by now
      found = { ref: answer.code, click: answer.click_id || "" };
      visit = found.click;
      remember(answer.keep_days);
    } catch {
      if (click || mine !== asked) return;
      found = before || { ref: "", click: "" }; // nobody has this code: what was known before stands
      drop();
      remember(PROVISIONAL);
    }
    tell();
  };

  const unkeep = () => fetch(`${base}/api/v1/clicks`, {
    method: "DELETE", headers: { Authorization: `Bearer ${key}` }, credentials: "include", keepalive: true,
  }).catch(() => {}); // where no cookie was set there is none to drop

  const forget = () => {
    asked++;
    found = { ref: "", click: "" };
    drop();
    unkeep();
    tell();
  };

  // What the shop's page may ask for

  const shown = new Set();
  const api = {
    attribution: () => ({ ...found }),
    consent: (given) => {
      consent = Boolean(given);
      return consent ? capture() : forget();
    },
    forget,
    identify: (token) => {
      identity = token || "";
      configs = {};
      for (const one of shown) one.draw();
    },
    view: (placement, kind = "view", program) => call("views", { body: { placement, kind, ...(program && { program }) } }).catch(() => {}),
    share: (code, channel, placement) => call("shares", { body: { code, channel, ...(placement && { placement }) } }).catch(() => {}),
    push: ([name, ...values]) => api[name]?.(...values),
  };

  const config = (lang, placement) =>
    (configs[`${lang} ${placement}`] ||= call(`widget?${new URLSearchParams({ lang, placement })}`, {
      headers: identity ? { "X-Goodword-Identity": identity } : {},
    }));

  // What customers see

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  };

  const STYLE = `
    :host{display:block;container-type:inline-size;color-scheme:light dark}
    :host([hidden]){display:none}
    *{box-sizing:border-box}
    .gw{--a:var(--goodword-accent,var(--brand,#0b6b4f));--i:var(--goodword-accent-ink,var(--brand-ink,#fff));
      font:var(--goodword-font,400 16px/1.5 system-ui,sans-serif);color:var(--goodword-ink,CanvasText)}
    .card{background:var(--goodword-background,Canvas);border:1px solid color-mix(in srgb,currentColor 15%,transparent);
      border-radius:var(--goodword-radius,16px);padding:20px;display:grid;gap:14px;max-width:34rem}
    h2{font-size:1.25em;line-height:1.25;margin:0}p{margin:0}
    .both{display:grid;gap:10px}@container (min-width:26rem){.both{grid-template-columns:1fr 1fr}}
    .side{background:color-mix(in srgb,var(--a) 9%,transparent);border-radius:12px;padding:12px}
    .side b{display:block;font-size:.85em;font-weight:600;opacity:.8}
    ul{list-style:none;margin:0;padding:0;display:grid;gap:4px}
    .row{display:flex;gap:8px;flex-wrap:wrap}
    input{flex:1 1 12rem;min-width:0;font:inherit;padding:10px 12px;border:1px solid color-mix(in srgb,currentColor 35%,transparent);
      border-radius:10px;background:transparent;color:inherit}
    button,a.b{font:inherit;font-weight:600;min-height:44px;padding:9px 16px;border-radius:10px;cursor:pointer;text-decoration:none;
      border:1px solid color-mix(in srgb,currentColor 30%,transparent);background:transparent;color:inherit;display:inline-flex;align-items:center;justify-content:center}
    .main{background:var(--a);color:var(--i);border-color:transparent}
    :focus-visible{outline:3px solid var(--a);outline-offset:2px}
    .small{font-size:.88em;opacity:.85}.small a{color:inherit}
    .qr svg{width:128px;height:128px;border-radius:8px;background:#fff}
    .float{position:fixed;inset:auto 16px 16px auto;z-index:var(--goodword-layer,2147483000);border-radius:999px;box-shadow:0 4px 16px #0004}
    dialog{border:0;padding:0;background:transparent;max-width:min(36rem,calc(100vw - 32px));color:inherit}
    dialog::backdrop{background:#0008}
    @media (prefers-reduced-motion:no-preference){dialog[open]{animation:up .18s}@keyframes up{from{transform:translateY(8px);opacity:0}}}`;

  const dress = (root) => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet]; // allowed by a policy that forbids inline styles
    } catch {
      root.append(make("style", {}, STYLE));
    }
  };

  const picture = (svg) => {
    try {
      const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
      return parsed.nodeName === "svg" ? make("div", { class: "qr", role: "img", "aria-label": "QR" }, document.importNode(parsed, true)) : null;
    } catch {
      return null;
    }
  };

  const copier = (link, words, note) => {
    const field = make("input", { readonly: true, value: link.url, "aria-label": words.link });
    const button = make("button", { type: "button", class: "main" }, words.copy);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(link.url);
      } catch {
        field.select();
        document.execCommand("copy");
      }
      button.textContent = words.copied;
      setTimeout(() => (button.textContent = words.copy), 2000);
      note("copy");
    });
    return make("div", { class: "row" }, field, button);
  };

  const sharers = (link, words, note) => {
    const sheet =
      navigator.share &&
      make("button", { type: "button", class: "main", onclick: () => {
        navigator.share({ url: link.native_url, title: link.subject, text: link.text }).then(() => note("native"), () => {});
      } }, words.share);
    const apps = link.targets.map(({ channel, name, href }) =>
      make("a", { class: "b", href, target: href.startsWith("https:") ? "_blank" : undefined, rel: "noopener noreferrer", onclick: () => note(channel) }, name),
    );
    return make("div", { class: "row", role: "group", "aria-label": words.share }, sheet, ...apps);
  };

  const side = (title, promises) =>
    promises.length ? make("div", { class: "side" }, make("b", {}, title), make("ul", {}, ...promises.map((one) => make("li", {}, one)))) : null;

  class Refer extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) dress(this.attachShadow({ mode: "open" }));
      shown.add(this);
      this.draw();
    }

    disconnectedCallback() {
      shown.delete(this);
      this.watch?.disconnect();
    }

    get mode() {
      return this.getAttribute("mode") || "card"; // page | card | button
    }

    get placement() {
      return this.getAttribute("placement") || { page: "account_page", button: "floating_button" }[this.mode] || "banner";
    }

    async draw() {
      const turn = (this.turn = (this.turn || 0) + 1);
      let told;
      try {
        told = await config(this.getAttribute("lang") || document.documentElement.lang || navigator.language, this.placement);
      } catch (error) {
        console.warn(`goodword: ${error.message}`); // the shop's page goes on without us
        this.hidden = true;
        return;
      }
      if (turn !== this.turn) return;
      this.hidden = false;
      const wanted = this.getAttribute("program");
      const offers = told.offers.filter((one) => !wanted || one.program === wanted);
      const body = make("div", { class: "gw", lang: told.language });
      body.style.setProperty("--brand", told.accent);
      body.style.setProperty("--brand-ink", told.accent_ink);
      const shownOffers = offers.slice(0, this.mode === "page" ? undefined : 1);
      const cards = shownOffers.map((one) => this.card(one, told));
      if (!cards.length) cards.push(make("p", {}, told.words.nothing));
      body.append(...(this.mode === "button" ? this.button(cards, told, offers[0]) : cards));
      this.shadowRoot.replaceChildren(body);
      this.dispatchEvent(new CustomEvent("goodword:shown", { bubbles: true }));
      if (shownOffers.length) this.count(body, shownOffers);
    }

    card(offer, { words, points, portal_url: portal }) {
      const { link } = offer;
      const note = (channel) => api.share(link.code, channel, this.placement);
      return make(
        "section", { class: "card", "aria-label": words.title },
        make("h2", {}, words.title),
        make("div", { class: "both" }, side(words.you, offer.advocate), side(words.friend, offer.friend)),
        link ? copier(link, words, note) : make("div", { class: "row" }, make("a", { class: "b main", href: portal }, words.sign_in)),
        link && sharers(link, words, note),
        link && this.mode === "page" && picture(link.qr_svg),
        points && make("p", { class: "small" }, `${words.points}: ${points.available}`, points.pending ? ` (+ ${points.pending} ${words.pending})` : ""),
        make("p", { class: "small" }, make("a", { href: offer.how_url, target: "_blank", rel: "noopener" }, words.how)),
      );
    }

    button(cards, { words }, offer) {
      const close = make("button", { type: "button", onclick: () => dialog.close() }, words.close);
      cards[0].append(close);
      const dialog = make("dialog", { "aria-label": words.title }, ...cards);
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
      const open = make("button", { type: "button", class: "main float", "aria-haspopup": "dialog", onclick: () => {
        dialog.showModal();
        if (offer) api.view(this.placement, "open", offer.program);
      } }, words.title);
      return [open, dialog];
    }

    count(body, offers) {
      if (this.counted) return;
      this.watch?.disconnect();
      this.watch = new IntersectionObserver((entries) => {
        if (this.counted || !entries.some((entry) => entry.isIntersecting)) return;
        this.counted = true;
        this.watch.disconnect();
        for (const { program } of offers) api.view(this.placement, "view", program);
      }, { threshold: 0.5 });
      this.watch.observe(this.mode === "button" ? body.firstElementChild : body);
    }
  }

  const waiting = Array.isArray(window.goodword) ? window.goodword : [];
  window.goodword = api;
  for (const one of waiting) api.push(one);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
  capture();
  if (!customElements.get("goodword-refer")) customElements.define("goodword-refer", Refer);
})();
