/**
 * A stack that predicts nothing: how alike the streams of its tokens are after a layer (the cosine
 * of the angle between them), how large each is, and which are nearest to the chosen one.
 */

import { color, signedRamp } from "../color.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { full, make, short, t } from "../words.js";
import { CellMap, NAMES } from "./cell-map.js";
import { labelsOf } from "./labels.js";
import { largest, likeness, sizes } from "./measures.js";
import { PairLayers } from "./pair-layers.js";
import { titleOf } from "./saver.js";
import { View } from "./view.js";

const MOST = 128; // tokens, at most, from the first on
const NEAR = 5;
const LARGEST = 420; // css px of the map

export class StreamLikeness extends View {
  /** @param {string} prefix  of the stack's points: "" or "encoder." */
  constructor(store, host, prefix) {
    super(store, host);
    this.prefix = prefix;
    this.n = 0;
    this.build();
    for (const type of ["read", "select"]) store.addEventListener(type, () => this.refresh());
    store.addEventListener("hover", () => this.wake());
    this.refresh();
  }

  build() {
    const ends = ["−1", "1"].map((text) => make("span", { class: "num" }, text));
    this.bar = make("span", { class: "bar" });
    this.readout = make("output", { class: "readout num" });
    this.title = make("span", { class: "likeness-title" });
    this.mapHost = make("div", { class: "likeness-map" });
    this.near = make("ol", { class: "near" });
    this.nearTitle = make("h3", {});
    const pair = make("div", { class: "pair-layers" });
    this.pair = new PairLayers(pair, { store: this.store, prefix: this.prefix, layers: this.store.layers(this.prefix ? "encoder" : "") });
    this.bars = make("div", { class: "size-bars", role: "img" });
    this.barsTitle = make("h3", {}, t("size |x| of each token's stream"));
    this.host.append(
      make("header", { class: "lens-head" }, this.title, make("span", { class: "scale" }, ends[0], this.bar, ends[1], make("span", {}, t("cosine"))), this.readout),
      make("div", { class: "likeness" }, this.mapHost, make("div", { class: "likeness-side" }, this.nearTitle, this.near, pair, this.barsTitle, this.bars)),
    );
    this.map = new CellMap(this.mapHost, {
      label: t("likeness of tokens' streams. Arrows move."),
      onPoint: (row, column) => {
        this.store.hoverAt(row, column);
        this.wake();
      },
      onChoose: (row, column) => this.store.set({ query: row, key: column }),
    });
  }

  /** @returns {import("./saver.js").Saved} */
  get saved() {
    return { figure: () => this.figure(), rows: () => this.table(), file: () => `stream-${this.shownLayer}` };
  }

  get layer() {
    return this.store.state.layer;
  }

  async load() {
    const { store, prefix, layer } = this;
    const { reading } = store;
    const stack = prefix ? "encoder" : "";
    if (!reading || (store.state.stack !== stack && prefix)) return;
    const n = Math.min(MOST, reading.tokens.length);
    const found = await store.slices([{ point: `${prefix}blocks.${layer}.residual`, at: { time: [0, n] } }], this);
    if (!found) return;
    const [{ data, shape }] = found;
    const width = shape.at(-1);
    Object.assign(this, { n, shownLayer: layer, tokens: reading.tokens, labels: labelsOf(reading.tokens).slice(0, n), sizes: sizes(data, width), alike: likeness(data, width) });
    this.painted = null;
    this.wake();
  }

  restyle() {
    this.painted = null;
    this.wake();
  }

  draw() {
    const { n, map, alike, store } = this;
    if (!n) return;
    const ramp = signedRamp();
    if (this.painted !== alike) {
      this.painted = alike;
      map.set(alike, n, n, ramp, [-1, 1]);
      this.bar.style.backgroundImage = `linear-gradient(90deg, ${Array.from({ length: 9 }, (_, k) => ramp.css[Math.min(255, k * 32)]).join(", ")})`;
      this.title.textContent = t("after layer {n}", { n: this.shownLayer });
      this.drawBars();
    }
    const scale = parseFloat(color("--scale")) || 1;
    const room = Math.min(LARGEST * scale, this.mapHost.clientWidth - NAMES * scale);
    const size = Math.max(160, Math.min(room, n * 34));
    const pen = map.draw(size, size, size + (CellMap.named(size / n) ? NAMES * scale : 0));
    const query = Math.min(n - 1, store.query);
    map.frame(pen, map.box(query, 0, 1, n), color("--ink"));
    map.names(pen, this.labels, () => size, query, scale);
    const { hover } = store;
    if (hover.query >= 0 && hover.query < n && hover.query !== query) map.frame(pen, map.box(hover.query, 0, 1, n), color("--accent"), 1, [3, 3]);
    if (hover.key >= 0 && hover.key < n) map.frame(pen, map.box(0, hover.key, n), color("--accent"), 1, [3, 3]);
    this.tell(query);
  }

  tell(query) {
    const { n, labels, alike, map } = this;
    const [row, column] = map.over;
    this.readout.textContent = row < 0 || row >= n ? "" : t("{one} and {other}: {value}", { one: labels[row], other: labels[column], value: short(alike[row * n + column]) });
    this.readout.title = row < 0 ? "" : full(alike[row * n + column]);
    this.nearTitle.textContent = t("nearest to “{word}”", { word: labels[query] });
    const others = Array.from({ length: n }, (_, k) => (k === query ? -2 : alike[query * n + k]));
    const found = largest(others, Math.min(NEAR, n - 1));
    const key = `${query} ${this.store.state.key} ${found} ${this.shownLayer}`;
    if (this.told === key && this.toldOf === alike) return;
    Object.assign(this, { told: key, toldOf: alike });
    const { key: other } = this.store.state;
    this.pair.show(query, other >= 0 && other < n && other !== query ? other : (found[0] ?? query), labels, this.shownLayer);
    this.near.replaceChildren(...found.map((k) => {
      const button = make("button", { type: "button", class: "near-token" }, make("b", {}, labels[k]), make("span", { class: "num" }, short(others[k])));
      button.addEventListener("click", () => this.store.set({ query, key: k }));
      return make("li", {}, button);
    }));
  }

  drawBars() {
    const most = Math.max(...this.sizes) || 1;
    this.bars.replaceChildren(...this.labels.map((label, k) => {
      const bar = make("i", { class: "by-stream" });
      bar.style.transform = `scaleY(${this.sizes[k] / most})`;
      return make("span", { title: `${label}: ${full(this.sizes[k])}` }, bar);
    }));
    this.bars.setAttribute("aria-label", this.labels.map((label, k) => `${label} ${short(this.sizes[k])}`).join(", "));
  }

  figure() {
    const { n, alike, labels, store } = this;
    const z = Array.from({ length: n }, (_, row) => Array.from(alike.subarray(row * n, (row + 1) * n)));
    const axis = { tickvals: labels.map((_, k) => k), ticktext: labels.map(escaped), showgrid: false, zeroline: false, automargin: true };
    return {
      data: [{ type: "heatmap", z, zmin: -1, zmax: 1, colorscale: scaleOf(signedRamp()), colorbar: { thickness: 12, outlinewidth: 0 } }],
      layout: { ...paper(titleOf(store, t("cosine of the tokens' streams after layer {n}", { n: this.shownLayer })), Math.max(560, 240 + 22 * n), Math.max(480, 180 + 22 * n)), xaxis: axis, yaxis: { ...axis, autorange: "reversed" } },
    };
  }

  table() {
    const { n, alike, tokens } = this;
    return [
      ["step", "token", "size", ...Array.from({ length: n }, (_, k) => `cosine[${k}]`)],
      ...Array.from({ length: n }, (_, row) => [row, tokens[row], this.sizes[row], ...alike.subarray(row * n, (row + 1) * n)]),
    ];
  }
}
