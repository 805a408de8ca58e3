/** Step 7: values, each as much as it is looked at, add up to what the head hands on. */

import { signedRamp } from "../../color.js";
import { svg } from "../../decoder/svg.js";
import { full, make, percent, short, t } from "../../words.js";
import { Matrix } from "./matrix.js";
import { columnSums, contributions, largestOf, limitOf, rowOf } from "./numbers.js";
import { agreement, letter, line, number, rangeBar, size, weight } from "./pieces.js";
import { Step } from "./step.js";

const TERMS = 3; // that are written out
const WIDE = 200; // of the staircase, in units of the drawing

export class Weighted extends Step {
  build() {
    this.title = make("span", {});
    const onChoose = (row, unit) => this.walk.set({ unit });
    this.shares = make("div", { class: "shares", "aria-hidden": "true" });
    this.map = new Matrix({ label: t("weight times value, a row a token; a click adds up a column"), title: [letter("attention", "a"), " · ", letter("value", "v"), this.title], describe: (row, unit) => `${this.labels[row]} #${unit}`, onChoose, onPoint: (row, unit) => this.point(unit) });
    this.z = new Matrix({ label: t("their sum: what the head hands on"), describe: (row, unit) => `z #${unit}`, onChoose, onPoint: (row, unit) => this.point(unit) });
    this.stairs = make("div", { class: "stairs" });
    this.stairsTitle = make("p", { class: "mx-title" });
    this.stairsSum = make("p", { class: "stairs-sum num" });
    this.block("weighted", make("div", { class: "weighted-side" }, make("p", { class: "mx-title" }, letter("attention", "a")), this.shares), this.map.element, make("div", { class: "weighted-side wide" }, this.stairsTitle, this.stairs), make("span", { class: "equals" }, "Σ ="), this.z.element, this.stairsSum);
    this.foot = make("p", { class: "mx-foot" });
    this.figure.append(this.foot);
  }

  draw() {
    const { walk, labels } = this;
    const { d, T, query } = walk;
    const head = walk.head();
    this.weights = rowOf(head.attention, query, T);
    this.values = head.v;
    this.parts = contributions(this.weights, head.v, d);
    this.sum = columnSums(this.parts, d);
    const { limit, largest } = limitOf(this.parts, this.sum);
    const height = this.rowHeight;
    const known = walk.state.unit;
    this.unit = known >= 0 ? known : largestOf(this.sum, true);
    this.shares.replaceChildren(...Array.from(this.weights, (value) => {
      const bar = make("i", {});
      bar.style.transform = `scaleX(${value})`;
      const node = make("span", { title: full(value) }, bar, make("span", { class: "num" }, value ? percent(value) : ""));
      node.style.height = `${height}px`;
      return node;
    }));
    this.map.show({ values: this.parts, rows: T, columns: d, limit, height: T * height, rowLabels: labels });
    this.z.show({ values: this.sum, rows: 1, columns: d, limit, height: height * 1.25, rowLabels: ["z"] });
    this.title.replaceChildren(size(T, d));
    this.foot.replaceChildren(rangeBar(signedRamp(), -limit, limit, largest));
    this.checked = agreement(this.sum, rowOf(head.z, query, d));
    this.point(-1);
  }

  /** One column, added up. */
  point(pointed) {
    if (!this.parts) return;
    const unit = pointed < 0 ? this.unit : pointed;
    const marks = [{ column: unit, ink: "--ink" }];
    this.map.mark(marks);
    this.z.mark(marks);
    this.climb(unit);
    const { d, T } = this.walk;
    const order = Array.from({ length: T }, (_, j) => j).sort((a, b) => Math.abs(this.parts[b * d + unit]) - Math.abs(this.parts[a * d + unit]));
    const first = order.slice(0, TERMS).filter((j) => this.weights[j]);
    const terms = first.flatMap((j, n) => [n ? "+" : "=", weight(this.weights[j]), "·", number(this.values[j * d + unit], "value")]);
    const rest = this.sum[unit] - first.reduce((total, j) => total + this.parts[j * d + unit], 0);
    const others = order.filter((j) => this.weights[j]).length - first.length;
    this.fill(line(letter("value", "z", `#${unit}`), "=", number(this.sum[unit], "value")), line(...terms, ...(others > 0 ? ["+", make("span", { class: "quiet" }, t("{n} others", { n: others })), number(rest)] : [])), this.checked);
  }

  /** A staircase: every contribution begins where the one before it ends. */
  climb(unit) {
    const { d, T } = this.walk;
    const height = this.rowHeight;
    const steps = Array.from({ length: T }, (_, j) => this.parts[j * d + unit]);
    let at = 0;
    const ends = steps.map((value) => (at += value));
    const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
    const x = (value) => 3 + ((value - low) / (high - low || 1)) * (WIDE - 6);
    const { css } = signedRamp();
    const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${T * height}`, preserveAspectRatio: "none", role: "img", "aria-label": t("number {unit} of z, contribution by contribution, up to {value}", { unit, value: short(this.sum[unit]) }) });
    drawing.append(svg("line", { x1: x(0), x2: x(0), y1: 0, y2: T * height, class: "zero" }));
    steps.forEach((value, j) => {
      const from = j ? ends[j - 1] : 0;
      const [left, right] = [Math.min(x(from), x(ends[j])), Math.max(x(from), x(ends[j]))];
      drawing.append(svg("rect", { x: left, y: j * height + 3, width: Math.max(1, right - left), height: height - 6, fill: css[value < 0 ? 40 : 215] }, svg("title", {}, `${this.labels[j]}  ${full(value)}`)));
      if (j + 1 < T) drawing.append(svg("line", { x1: x(ends[j]), x2: x(ends[j]), y1: (j + 1) * height - 3, y2: (j + 1) * height + 3, class: "riser" }));
    });
    this.stairs.replaceChildren(drawing);
    this.stairs.style.height = `${T * height}px`;
    this.stairsTitle.replaceChildren(letter("value", "z", `#${unit}`), t("adds up"));
    this.stairsSum.textContent = short(this.sum[unit]);
  }

  tables() {
    const columns = this.units(this.walk.d);
    return [{ name: "a·v", rows: this.labels, columns, values: this.parts }, { name: "z", rows: [this.me], columns, values: this.sum }];
  }
}
