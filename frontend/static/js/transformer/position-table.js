/**
 * The table of positions that is added to tokens: a row a position, a column a unit; and beside
 * it, on the same rows, how alike positions are to each other.
 */

import * as api from "../api.js";
import { color, signedRamp } from "../color.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { full, make, short, t } from "../words.js";
import { CellMap } from "./cell-map.js";
import { likeness } from "./measures.js";
import { sinusoidal } from "./rotation.js";
import { provide, titleOf } from "./saver.js";
import { sliced } from "./sliced.js";
import { PLAIN } from "./store.js";
import { View } from "./view.js";

const MOST = 128; // positions that are shown
const FULL = 0.8; // of them a repeated text may fill: pieces may come out otherwise where it is joined
const WITHIN = 0.98; // of the values lie within the limits of the colours
const HEIGHT = 360; // css px of the maps

export class PositionTable extends View {
  /** @param {import("./store.js").Store} store @param {HTMLElement} host */
  constructor(store, host) {
    super(store, host);
    host.classList.add("by-table");
    const { config } = store.about;
    this.learned = config.positions === "learned";
    this.units = config.hidden_size;
    this.n = 0;
    this.at = -1;
    this.by = "cosine";
    this.build();
    store.addEventListener("read", () => this.n || this.refresh());
    for (const type of ["hover", "select"]) store.addEventListener(type, () => this.wake());
    provide("positions", { figure: () => this.figure(), rows: () => this.rows() });
    this.refresh();
  }

  build() {
    const scale = () => {
      const [low, bar, high] = [make("span", { class: "num" }), make("span", { class: "bar" }), make("span", { class: "num" })];
      return { node: make("span", { class: "scale" }, low, bar, high), low, bar, high };
    };
    const pane = (title, ...extra) => {
      const [host, tools] = [make("div", { class: "pane-map" }), scale()];
      const readout = make("output", { class: "readout num" });
      const node = make("section", { class: "pane" }, make("header", { class: "pane-head" }, make("h3", {}, title), ...extra, tools.node), host, readout);
      this.host.append(node);
      return { host, readout, ...tools };
    };
    this.choice = make("select", { class: "plain", "aria-label": t("how likeness is measured") }, make("option", { value: "cosine" }, t("cosine")), make("option", { value: "product" }, t("dot product")));
    this.choice.addEventListener("change", () => {
      this.by = this.choice.value;
      this.compare();
    });
    this.left = pane(t("what is added: position by unit"));
    this.right = pane(t("likeness of positions"), this.choice);
    this.table = new CellMap(this.left.host, { label: t("Table of positions: a row a position, a column a unit. Arrows move."), onPoint: (row, column) => this.point(row, column, -1) });
    this.axes = make("p", { class: "note pane-axes" });
    this.host.append(this.axes);
    this.alike = new CellMap(this.right.host, { label: t("Likeness of positions, each with each. Arrows move."), onPoint: (row, column) => this.point(row, -1, column) });
  }

  point(at, unit, other) {
    Object.assign(this, { at, unit, other });
    this.wake();
  }

  async load() {
    const { store, units } = this;
    if (this.learned && !store.reading) {
      this.stale = true;
      return;
    }
    const most = Math.min(MOST, store.about.config.context);
    const values = this.learned ? await this.fetch(most) : sinusoidal(most, units);
    if (!values) return;
    this.values = values;
    this.n = values.length / units;
    this.limit = limitOf(values);
    this.axes.textContent = t("Rows: positions 0 to {last}, the same in both. Columns: units 0 to {unit}; positions.", { last: this.n - 1, unit: units - 1 });
    this.compare();
  }

  /** A learned table is told where a text is long enough: the reader's, again and again. */
  async fetch(most) {
    const { store } = this;
    const T = store.reading.tokens.length;
    const point = `${store.translates ? "encoder." : ""}positions`;
    const { text } = store.state;
    const times = Math.max(1, Math.floor((FULL * most) / (T + 1)));
    const ask = async (long) => {
      const body = { text: long, target: store.translates ? [] : null, edits: PLAIN, slices: [{ point }] };
      const { data, shape } = sliced((await api.slices(store.about.id, body)).slices[0]);
      return data.subarray(0, Math.min(most, shape[0]) * shape[1]);
    };
    try {
      return await ask(`${text} `.repeat(times).trimEnd());
    } catch {
      return times > 1 ? ask(text).catch(() => null) : null;
    }
  }

  compare() {
    if (!this.n) return;
    this.likenesses = likeness(this.values, this.units, this.by);
    this.most = this.by === "cosine" ? 1 : round(this.likenesses.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
    this.ramp = null;
    this.wake();
  }

  restyle() {
    this.ramp = null;
    this.wake();
  }

  draw() {
    const { n, units } = this;
    if (!n) return;
    const ramp = signedRamp();
    if (this.ramp !== ramp) {
      this.ramp = ramp;
      this.table.set(this.values, n, units, ramp, [-this.limit.value, this.limit.value]);
      this.alike.set(this.likenesses, n, n, ramp, [-this.most, this.most]);
      this.legend(this.left, this.limit.value, this.limit.cut);
      this.legend(this.right, this.most, false);
    }
    const scale = parseFloat(color("--scale")) || 1;
    const height = Math.min(HEIGHT * scale, this.right.host.clientWidth || HEIGHT);
    const pens = [this.table.draw(this.left.host.clientWidth, height), this.alike.draw(height, height)];
    const at = this.shown;
    [this.table, this.alike].forEach((map, k) => {
      if (at >= 0 && at < n) map.frame(pens[k], map.box(at, 0, 1, map.columns), color("--ink"), 1);
    });
    const other = this.other ?? -1;
    if (this.at >= 0 && other >= 0) this.alike.frame(pens[1], this.alike.box(0, other, n), color("--accent"), 1, [3, 3]);
    this.tell(at);
  }

  /** The position that is pointed at, here or anywhere, else that of the chosen token. */
  get shown() {
    if (this.at >= 0) return this.at;
    const { hover } = this.store;
    return hover.query >= 0 ? hover.query : this.store.query;
  }

  legend({ low, bar, high }, limit, cut) {
    low.textContent = plain(-limit);
    high.textContent = plain(limit);
    bar.classList.toggle("clipped", cut);
    bar.style.backgroundImage = `linear-gradient(90deg, ${Array.from({ length: 17 }, (_, k) => this.ramp.css[Math.min(255, k * 16)]).join(", ")})`;
  }

  tell(at) {
    const { n, units, unit = -1, other = -1 } = this;
    const inside = at >= 0 && at < n;
    const value = inside && this.at >= 0 && unit >= 0 ? this.values[at * units + unit] : undefined;
    this.left.readout.textContent = value === undefined ? (inside ? t("position {n}", { n: at }) : "") : t("position {n}, unit {unit}: {value}", { n: at, unit, value: short(value) });
    this.left.readout.title = value === undefined ? "" : full(value);
    const alike = inside && this.at >= 0 && other >= 0 ? this.likenesses[at * n + other] : undefined;
    this.right.readout.textContent = alike === undefined ? "" : t("positions {n} and {other}: {value}", { n: at, other, value: short(alike) });
    this.right.readout.title = alike === undefined ? "" : full(alike);
  }

  figure() {
    const { n, units, values } = this;
    const z = Array.from({ length: n }, (_, p) => Array.from(values.subarray(p * units, (p + 1) * units)));
    const { value } = this.limit;
    return {
      data: [{ type: "heatmap", z, zmin: -value, zmax: value, colorscale: scaleOf(signedRamp()), colorbar: { thickness: 12, outlinewidth: 0 } }],
      layout: { ...paper(`${escaped(this.store.about.title ?? this.store.about.id)}: ${t("what is added: position by unit")}`, 900, 560), xaxis: { title: { text: t("unit") }, zeroline: false }, yaxis: { title: { text: t("position") }, zeroline: false, autorange: "reversed" } },
    };
  }

  rows() {
    const { n, units, values } = this;
    return [["position", ...Array.from({ length: units }, (_, unit) => `unit[${unit}]`)], ...Array.from({ length: n }, (_, p) => [p, ...values.subarray(p * units, (p + 1) * units)])];
  }
}

/** A limit without zeros at its end: 0.5, 20. */
function plain(value) {
  return short(value).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** Up to the next 1, 2 or 5 of its decade. */
function round(value) {
  const decade = 10 ** Math.floor(Math.log10(value || 1));
  return decade * [1, 2, 5, 10].find((step) => step * decade >= value * 0.9999);
}

/** Limits of the colours that hold most of the values, and whether some lie beyond. */
function limitOf(values) {
  const found = Float32Array.from(values, Math.abs).sort();
  const value = round(found[Math.floor(WITHIN * (found.length - 1))]);
  return { value, cut: found.at(-1) > value };
}
