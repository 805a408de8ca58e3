/**
 * Tokens as a line of text, every token a button, blanks as marks. The one that looks is chosen
 * here; the others are tinted by how much it looks at them. Arrows move along.
 */

import { attentionRamp, inkOn } from "../color.js";
import { make } from "../words.js";
import { isMark, partsOf, told } from "./labels.js";

export class Strip {
  /**
   * @param {HTMLElement} host @param {import("./store.js").Store} store
   * @param {import("./head-map.js").HeadMap} map
   * @param {{side: "source"|"target", label: string, lang?: string}} options
   */
  constructor(host, store, map, { side, label, lang = "" }) {
    Object.assign(this, { store, map, side });
    this.buttons = [];
    this.line = make("div", { class: "strip-line", role: "group", "aria-label": label, lang: lang || null });
    host.append(this.line);
    const { line } = this;
    line.addEventListener("click", (event) => this.choose(this.at(event)));
    line.addEventListener("pointerover", (event) => this.point(this.at(event)));
    line.addEventListener("pointerleave", () => store.hoverAt());
    line.addEventListener("keydown", (event) => this.key(event));
    store.addEventListener("read", () => this.build());
    store.addEventListener("select", () => {
      if (this.built === this.tokens) this.paint();
      else this.build();
      this.reveal();
    });
    store.addEventListener("hover", () => this.paint());
    store.addEventListener("restyle", () => this.paint());
    map.addEventListener("map", () => this.paint());
  }

  get tokens() {
    const { reading, state } = this.store;
    if (this.side === "source") return reading?.tokens ?? [];
    return reading?.target?.[state.stack === "decoder" ? "inputs" : "outputs"] ?? [];
  }

  /** What its tokens are in the stack that is shown. @returns {"both"|"query"|"key"|""} */
  get role() {
    const { stack } = this.store.state;
    if (this.side === "source") return { "": "both", encoder: "both", decoder: "", cross: "key" }[stack];
    return { encoder: "", decoder: "both", cross: "query" }[stack] ?? "";
  }

  at(event) {
    const button = event.target.closest("button");
    return button ? Number(button.dataset.k) : -1;
  }

  choose(k) {
    const { store, role } = this;
    if (k < 0) return;
    if (role === "key") store.set({ key: k });
    else if (role) store.set({ query: k, key: -1 });
    else store.set({ stack: this.side === "source" ? "encoder" : "decoder", query: k, key: -1 });
  }

  point(k) {
    if (k < 0 || !this.role) return;
    if (this.role === "key") this.store.hoverAt(-1, k);
    else this.store.hoverAt(k, -1);
  }

  key(event) {
    const k = this.at(event);
    const last = this.buttons.length - 1;
    const to = { ArrowLeft: k - 1, ArrowRight: k + 1, Home: 0, End: last }[event.key];
    if (to === undefined || k < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(0, Math.min(last, to));
    this.choose(next);
    this.buttons[next].focus();
  }

  build() {
    const { line, tokens } = this;
    const focused = line.contains(document.activeElement) ? this.buttons.indexOf(document.activeElement) : -1;
    this.built = tokens;
    this.buttons = tokens.map((token, k) => this.button(token, k));
    line.replaceChildren(...this.buttons.flatMap((button) => (button.dataset.line ? [button, make("br")] : [button])));
    if (focused >= 0) this.buttons[Math.min(focused, tokens.length - 1)]?.focus();
    this.paint();
  }

  button(token, k) {
    const parts = partsOf(token);
    const button = make("button", { type: "button", class: "tok", "data-k": String(k), "aria-label": told(token) },
      ...parts.map(({ text, blank }) => (blank ? make("i", { class: "blank" }, text) : text)));
    button.classList.toggle("sign", isMark(token));
    const { spans } = this.store.reading;
    button.classList.toggle("apart", this.side === "source" && k > 0 && spans[k][0] > spans[k - 1][1]);
    if (parts.at(-1)?.line) button.dataset.line = "1";
    return button;
  }

  /** The chosen token into view, where the text is longer than its place. */
  reveal() {
    const { line, role, store, buttons } = this;
    const button = buttons[role === "key" ? store.state.key : store.query];
    if (!button || !role || line.scrollHeight <= line.clientHeight) return;
    const top = button.offsetTop - line.offsetTop;
    if (top < line.scrollTop) line.scrollTop = top;
    else if (top + button.offsetHeight > line.scrollTop + line.clientHeight) line.scrollTop = top + button.offsetHeight - line.clientHeight;
  }

  paint() {
    const { store, role, map } = this;
    const { hover } = store;
    const query = hover.query >= 0 ? hover.query : store.query;
    if (this.built !== this.tokens) return;
    const looks = role === "both" || role === "key";
    const row = looks ? map.row(query) : null;
    const { css } = attentionRamp();
    this.line.classList.toggle("idle", !role);
    this.buttons.forEach((button, k) => {
      const weight = row ? (row[k] ?? 0) : 0;
      const fill = weight > 0.003 ? css[Math.round(255 * Math.sqrt(Math.min(1, weight)))] : "";
      button.style.background = fill;
      button.style.color = fill ? inkOn(fill) : "";
      const isQuery = (role === "both" || role === "query") && k === store.query;
      const isKey = looks && k === store.state.key;
      button.classList.toggle("query", isQuery);
      button.classList.toggle("key", isKey);
      button.classList.toggle("over", (role === "both" || role === "query" ? hover.query : -1) === k || (looks && hover.key === k));
      button.setAttribute("aria-pressed", String(isQuery || (role === "key" && isKey)));
      button.tabIndex = (role === "key" ? k === Math.max(0, store.state.key) : k === (role ? store.query : 0)) ? 0 : -1;
    });
  }
}
