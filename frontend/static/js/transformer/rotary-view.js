/**
 * Rotary positions: every pair of numbers of a query or key is a hand of a clock that turns with
 * the position, each at its own speed; and what that makes of the product of a query and a key
 * when they stand farther and farther apart.
 */

import { color, signedRamp } from "../color.js";
import { at as px, fileOf, svg } from "../decoder/svg.js";
import { inQuotes, make, short, t } from "../words.js";
import { CellMap } from "./cell-map.js";
import { labelsOf } from "./labels.js";
import { onesAt, productAt, speeds } from "./rotation.js";
import { provide } from "./saver.js";
import { View } from "./view.js";

const MOST = 128; // positions and distances that are shown
const HEIGHT = 240;
const DIAL = 15; // radius of a clock, css px

export class RotaryView extends View {
  /** @param {import("./store.js").Store} store @param {HTMLElement} host */
  constructor(store, host) {
    super(store, host);
    const { config } = store.about;
    this.d = config.head_size || config.hidden_size / config.num_heads;
    this.speeds = speeds(this.d, config.rotary_base);
    this.n = Math.min(MOST, config.context);
    this.cosines = Float32Array.from({ length: this.n * this.speeds.length }, (_, k) => Math.cos(Math.floor(k / this.speeds.length) * this.speeds[k % this.speeds.length]));
    this.pointed = -1;
    this.build();
    for (const type of ["read", "select"]) store.addEventListener(type, () => this.refresh());
    store.addEventListener("hover", () => this.wake());
    provide("positions", { drawing: () => this.drawing(), rows: () => this.rows() });
    this.refresh();
  }

  build() {
    const pane = (title, ...parts) => {
      const node = make("section", { class: "pane" }, make("header", { class: "pane-head" }, make("h3", {}, title)), ...parts);
      this.host.append(node);
      return node;
    };
    this.dials = svg("svg", { class: "dials", role: "img" });
    this.dialsNote = make("p", { class: "note" });
    this.mapHost = make("div", { class: "pane-map" });
    this.ends = ["−1", "1"].map((text) => make("span", { class: "num" }, text));
    this.bar = make("span", { class: "bar" });
    pane(t("the hands at a position"), this.dials, this.dialsNote,
      make("header", { class: "pane-head" }, make("h3", {}, t("cosine of the angle: position by pair")), make("span", { class: "scale" }, this.ends[0], this.bar, this.ends[1])), this.mapHost);
    this.chart = svg("svg", { class: "distance-chart", role: "img" });
    this.chartNote = make("p", { class: "note" });
    this.key = make("p", { class: "stream-key" });
    pane(t("the product, by distance"), this.chart, this.key, this.chartNote);
    this.map = new CellMap(this.mapHost, {
      label: t("Angles: a row a position, a column a pair of numbers. Arrows move."),
      onPoint: (row) => {
        this.pointed = row;
        this.wake();
      },
    });
    this.chart.addEventListener("pointermove", (event) => this.over(event));
    this.chart.addEventListener("pointerleave", () => this.over(null));
  }

  over(event) {
    const box = this.chart.getBoundingClientRect();
    const { left = 0, step = 1 } = this.frameOf ?? {};
    const distance = event ? Math.round((event.clientX - box.left - left) / step) : -1;
    this.distance = distance >= 0 && distance < this.n ? distance : -1;
    this.wake();
  }

  /** The query and the key of the chosen head that are looked at. */
  async load() {
    const { store } = this;
    const { layer, head, stack } = store.state;
    if (!store.reading || stack === "cross") return;
    const query = store.query;
    const [row, q] = (await store.slices([{ point: store.point("attention", layer), at: { head, query } }, { point: store.point("q", layer), at: { head, query } }], this)) ?? [];
    if (!row) return;
    const key = store.state.key >= 0 ? store.state.key : row.data.indexOf(Math.max(...row.data));
    const [k] = (await store.slices([{ point: store.point("k", layer), at: { head: store.keyHead(head), key } }], this)) ?? [];
    if (!k) return;
    const labels = labelsOf(store.queries());
    // Without positions nothing was turned: it is as if they stood together.
    const turned = store.state.edits.positions;
    Object.assign(this, { q: q.data, k: k.data, turned, apart: turned ? query - key : 0, names: [labels[query], labels[key]], layer, head });
    this.wake();
  }

  draw() {
    const ramp = signedRamp();
    if (this.ramp !== ramp) {
      this.ramp = ramp;
      this.map.set(this.cosines, this.n, this.speeds.length, ramp, [-1, 1]);
      this.bar.style.backgroundImage = `linear-gradient(90deg, ${Array.from({ length: 17 }, (_, k) => ramp.css[Math.min(255, k * 16)]).join(", ")})`;
    }
    const { hover, query } = this.store;
    const position = this.pointed >= 0 ? this.pointed : hover.query >= 0 ? hover.query : Math.max(0, query);
    this.drawDials(position);
    const scale = parseFloat(color("--scale")) || 1;
    const pen = this.map.draw(this.mapHost.clientWidth, 150 * scale);
    if (position < this.n) this.map.frame(pen, this.map.box(position, 0, 1, this.map.columns), color("--ink"), 1);
    if (this.q) this.drawChart();
  }

  /** A clock for every pair of numbers. */
  drawDials(position) {
    const scale = parseFloat(color("--scale")) || 1;
    const radius = DIAL * scale;
    const pitch = 2 * radius + 6;
    const columns = Math.max(1, Math.floor(this.mapHost.clientWidth / pitch));
    const count = this.speeds.length;
    const hands = Array.from(this.speeds, (speed, i) => {
      const [x, y] = [(i % columns) * pitch + radius + 1, Math.floor(i / columns) * pitch + radius + 1];
      const angle = position * speed - Math.PI / 2;
      return svg("g", {}, svg("circle", { cx: px(x), cy: px(y), r: radius, class: "dial" }),
        svg("line", { x1: px(x), y1: px(y), x2: px(x + radius * 0.86 * Math.cos(angle)), y2: px(y + radius * 0.86 * Math.sin(angle)), class: "hand" }));
    });
    const [width, height] = [this.mapHost.clientWidth, Math.ceil(count / columns) * pitch];
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height })) this.dials.setAttribute(name, value);
    this.dials.setAttribute("aria-label", t("Clocks of {count} pairs at position {n}", { count, n: position }));
    this.dials.replaceChildren(...hands);
    this.dialsNote.textContent = t("Position {n}: the first pair has turned {first} times round, the last {last} times.", { n: position, first: turns(position * this.speeds[0]), last: turns(position * this.speeds.at(-1)) });
  }

  values() {
    const root = Math.sqrt(this.d);
    return Array.from({ length: this.n }, (_, distance) => productAt(this.q, this.k, this.speeds, distance - this.apart) / root);
  }

  drawChart() {
    const { chart, n, names } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const width = Math.max(220, chart.parentElement.clientWidth);
    const height = HEIGHT * scale;
    const [left, right, top, bottom] = [40 * scale, 10, 10, 34 * scale];
    const pair = this.values();
    const ones = Array.from({ length: n }, (_, distance) => onesAt(this.speeds, distance));
    const limit = Math.max(...pair.map(Math.abs)) || 1;
    const step = (width - left - right) / (n - 1);
    const middle = top + (height - top - bottom) / 2;
    const reach = (height - top - bottom) / 2;
    this.frameOf = { left, step };
    const path = (values, by) => values.map((value, k) => `${k ? "L" : "M"}${px(left + k * step)} ${px(middle - (value / by) * reach)}`).join("");
    const at = this.distance >= 0 ? this.distance : this.apart;
    const inside = at >= 0 && at < n;
    const every = n > 64 ? 32 : n > 24 ? 8 : 4;
    const ticks = Array.from({ length: Math.ceil(n / every) }, (_, k) => k * every);
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height })) chart.setAttribute(name, value);
    chart.replaceChildren(
      svg("line", { x1: left, x2: width - right, y1: middle, y2: middle, class: "zero" }),
      ...ticks.map((k) => svg("text", { x: px(left + k * step), y: height - bottom + 16 * scale, class: "tick", "text-anchor": "middle" }, String(k))),
      svg("text", { x: width - right, y: height - 2, class: "tick", "text-anchor": "end" }, t("tokens apart")),
      ...[[limit, top + 4], [0, middle + 4], [-limit, height - bottom]].map(([value, y]) => svg("text", { x: left - 6, y, class: "tick", "text-anchor": "end" }, short(value))),
      svg("path", { d: path(ones, 1), class: "ones" }),
      svg("path", { d: path(pair, limit), class: "pair-line" }),
      ...(inside ? [svg("line", { x1: px(left + at * step), x2: px(left + at * step), y1: top, y2: height - bottom, class: "here" }), svg("circle", { cx: px(left + at * step), cy: px(middle - (pair[at] / limit) * reach), r: 4 * scale, class: "here-dot" })] : []),
    );
    this.key.replaceChildren(
      make("span", {}, make("i", { class: "key-pair" }), t("“{query}” · “{key}”, layer {layer}, head {head}, over √d", { query: names[0], key: names[1], layer: this.layer, head: this.head })),
      make("span", {}, make("i", { class: "key-ones" }), t("of ones, as a share of its height at 0")),
    );
    const words = { distance: at, value: inside ? short(pair[at]) : "" };
    this.chartNote.textContent = !inside ? "" : at === this.apart && !this.turned ? t("Without positions every key counts as 0 apart: {value}.", words) : at === this.apart ? t("They stand {distance} apart: {value}, the score of this look.", words) : t("{distance} apart it would be {value}.", words);
    chart.setAttribute("aria-label", this.chartNote.textContent);
  }

  drawing() {
    const { about } = this.store;
    return fileOf(this.chart, `${about.title ?? about.id}: ${t("the product, by distance")}, ${this.names.map(inQuotes).join(" · ")}`, color("--paper"));
  }

  rows() {
    const pair = this.values();
    return [["distance", "score_of_the_pair", "of_ones"], ...pair.map((value, distance) => [distance, value, onesAt(this.speeds, distance)])];
  }
}

/** How often a hand has gone round. */
function turns(angle) {
  const count = angle / (2 * Math.PI);
  return count && count < 0.001 ? "< 0.001" : short(count);
}
