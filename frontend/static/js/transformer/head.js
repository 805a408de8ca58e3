/**
 * The opened head: its name and steps, the map of all weights and arcs between the tokens. Both
 * share rows where there is room: a row of the map ends at its token, and its arcs begin there.
 */

import { attentionRamp, color, signedRamp } from "../color.js";
import { full, make, percent, short, t } from "../words.js";
import { Arcs } from "./arcs.js";
import { strongest } from "./head-map.js";
import { labelsFor } from "./labels.js";
import { LookLine } from "./look-line.js";
import { Matrix } from "./matrix.js";
import { switchHead } from "./otherwise.js";
import { Rows } from "./rows.js";

const BESIDE = 500; // css px from which map and arcs stand side by side
const FOOT = 84; // css px of labels over the map, and what is to be seen below it
const DWELL = 50; // ms on a row before its real numbers are fetched

export class Head {
  /**
   * @param {HTMLElement} host @param {import("./store.js").Store} store
   * @param {import("./head-map.js").HeadMap} map
   */
  constructor(host, store, map) {
    Object.assign(this, { host, store, map });
    this.heading = document.getElementById("head-title");
    this.low = make("span", { class: "num" });
    this.high = make("span", { class: "num" });
    this.bar = make("span", { class: "bar" });
    this.readout = make("output", { class: "readout num" });
    this.choice = make("select", { class: "plain", "aria-label": t("shown in the map") },
      make("option", { value: "attention" }, t("weights α")), make("option", { value: "scores" }, t("scores e")));
    this.choice.value = map.quantity;
    this.choice.addEventListener("change", () => map.show(this.choice.value));
    this.steppers = ["layer", "head"].map((what) => this.stepper(what));
    this.switch = make("button", { class: "plain head-switch", type: "button" });
    this.switch.addEventListener("click", () => switchHead(store));
    this.matrix = new Matrix(store, map);
    this.arcs = new Arcs(store, map);
    this.line = new LookLine(store, () => this.wake());
    this.body = make("div", { class: "head-body" }, this.matrix.element, this.arcs.element);
    this.words = make("p", { class: "out-of-sight", role: "status" });
    host.append(
      make("div", { class: "head-bar" }, ...this.steppers.map(({ element }) => element), this.switch, this.choice, make("span", { class: "scale" }, this.low, this.bar, this.high)),
      this.readout, this.line.node, this.body, this.words,
    );
    for (const type of ["read", "select", "edit", "restyle", "hover"]) store.addEventListener(type, () => this.wake());
    map.addEventListener("map", () => this.wake());
    new ResizeObserver(() => this.wake()).observe(host);
    store.addEventListener("hover", () => this.refine());
    map.addEventListener("map", () => this.refine());
  }

  /** A number with a button on either side. @param {"layer"|"head"} what */
  stepper(what) {
    const { store } = this;
    const button = (by, sign) => {
      const one = make("button", { class: "plain", type: "button", "aria-label": t(`${what} ${by < 0 ? "before" : "after"}`) }, sign);
      one.addEventListener("click", () => store.set({ [what]: store.state[what] + by }));
      return one;
    };
    const value = make("b", { class: "num" });
    const [less, more] = [button(-1, "‹"), button(1, "›")];
    return { what, value, less, more, element: make("span", { class: "stepper" }, make("span", {}, t(what)), less, value, more) };
  }

  /** Weights or scores: the other of the two. */
  turn() {
    const { map, choice } = this;
    choice.value = map.showsScores || !map.scorable ? "attention" : "scores";
    map.show(choice.value);
  }

  wake() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  /** The row that is pointed at, or chosen, with its real numbers, once the pointer rests. */
  refine() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const { hover, query } = this.store;
      if (await this.map.refine(hover.query >= 0 ? hover.query : query, this.readout)) this.wake();
    }, DWELL);
  }

  draw() {
    const { store, map, host, matrix, arcs } = this;
    this.tellPlace();
    this.body.hidden = !store.reading || !map.there;
    host.classList.toggle("stale", map.stale);
    if (this.body.hidden || !host.clientWidth) return;
    const scale = parseFloat(color("--scale")) || 1;
    const beside = host.clientWidth >= BESIDE * scale;
    const labels = { queries: labelsFor(store, "query"), keys: labelsFor(store, "key") };
    // What is left of the screen below the text, and the readout under the rows.
    const room = innerHeight - (this.body.getBoundingClientRect().top + scrollY) - FOOT * scale;
    const rows = new Rows({ ...labels, width: host.clientWidth, room, beside, scale });
    this.body.classList.toggle("beside", beside);
    this.body.style.setProperty("--arcs", `${rows.mapWidth + rows.gap}px`);
    matrix.draw(rows, this.ramp, this.limits);
    arcs.draw(rows);
    this.legend();
    this.tell();
  }

  tellPlace() {
    const { store } = this;
    const { layer, head } = store.state;
    this.switch.textContent = store.isOff(layer, head) ? t("switch it on") : t("switch it off");
    this.heading.textContent = t("layer {layer}, head {head}", { layer, head }) + (store.isOff(layer, head) ? ` (${t("switched off")})` : "");
    for (const { what, value, less, more } of this.steppers) {
      const last = (what === "layer" ? store.layers() : store.heads) - 1;
      value.textContent = String(store.state[what]);
      less.disabled = store.state[what] === 0;
      more.disabled = store.state[what] === last;
    }
    this.choice.options[1].disabled = !this.map.scorable;
  }

  get ramp() {
    return this.map.showsScores ? signedRamp() : attentionRamp();
  }

  /** What the ends of the colours stand for. */
  get limits() {
    const { map } = this.map;
    if (!this.map.showsScores) return [0, 1];
    const most = Math.max(Math.abs(map.low), Math.abs(map.high)) || 1;
    return [-most, most];
  }

  legend() {
    const { ramp, limits: [low, high] } = this;
    const scores = this.map.showsScores;
    const stops = Array.from({ length: 17 }, (_, k) => ramp.css[Math.round(255 * (scores ? k / 16 : Math.sqrt(k / 16)))]);
    this.bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
    this.low.textContent = short(low).replace(/\.0+$/, "");
    this.high.textContent = short(high).replace(/\.0+$/, "");
  }

  /** The cell that is pointed at, or the chosen one, or where the chosen token looks most. */
  get place() {
    const { hover, query, state } = this.store;
    if (hover.query >= 0 && hover.key >= 0) return [hover.query, hover.key];
    const q = hover.query >= 0 ? hover.query : query;
    if (hover.key >= 0) return [q, hover.key];
    if (state.key >= 0 && state.key < this.map.keys && q === query) return [q, state.key];
    const row = this.map.row(q);
    return row ? [q, strongest(row)] : [q, -1];
  }

  /** It in words and numbers. */
  tell() {
    const { store, map } = this;
    const [query, key] = this.place;
    const cell = map.at(query, key);
    if (!cell) {
      this.line.show(-1, -1);
      return (this.readout.textContent = "");
    }
    const names = { query: this.quoted("query", query), key: this.quoted("key", key) };
    let words;
    if (!map.allowed(query, key)) words = t("{query} may not look at {key}", names);
    else {
      const value = map.showsScores ? short(cell.value) : percent(cell.value);
      words = t("{query} looks at {key}: {value}", { ...names, value: cell.exact ? value : `≈ ${value}` });
    }
    if (map.allowed(query, key)) this.line.show(query, key, cell.exact && !map.showsScores ? cell.value : null);
    else this.line.show(-1, -1);
    this.readout.textContent = words;
    this.readout.title = cell.exact ? full(cell.value) : "";
    this.readout.dataset.exact = cell.exact ? String(cell.value) : "";
    if (this.matrix.focused && this.words.textContent !== words) this.words.textContent = words;
  }

  quoted(side, k) {
    return t("quoted {word}", { word: labelsFor(this.store, side)[k] ?? "" });
  }
}
