/** Step 3: a query meets a key, number by number. */

import { svg } from "../../decoder/svg.js";
import { make, short, t } from "../../words.js";
import { limitOf, products, rowOf, running, scores, spanOf, sum } from "./numbers.js";
import { agreement, letter, line, number } from "./pieces.js";
import { Step } from "./step.js";
import { TokenRows } from "./token-rows.js";
import { Vectors } from "./vectors.js";

const SPELLED = 3; // products that are written out
const HIGH = 56; // of the running sum, in units of the drawing

export class Dot extends Step {
  build() {
    this.names = [make("span", {}), make("span", {}), make("span", {})];
    this.vectors = new Vectors(this.figure, [
      { label: [this.names[0]], words: t("query of the chosen token") },
      { sign: "·", label: [this.names[1]], words: t("key") },
      { sign: "=", label: [this.names[2]], words: t("products") },
    ], (unit) => this.say(unit));
    this.names[2].append(letter("query", "q", "u"), " ", letter("key", "k", "u"));
    this.sum = make("div", { class: "running" });
    this.vectors.element.append(make("div", { class: "vector" }, make("span", { class: "vector-sign" }, "Σ"), make("span", { class: "vector-label" }, t("sum so far")), this.sum), this.vectors.foot);
    this.rows = new TokenRows(this.block("part"), {
      label: t("score of every key; choose one to see its products"),
      columns: [{ kind: "bar", title: [letter("query", "q"), " · ", letter("key", "k")], hue: "--q-key" }],
      onChoose: (key) => this.walk.set({ key }),
    });
  }

  draw() {
    const { walk, labels, me } = this;
    const { d, T, query, key, seen } = walk;
    const head = walk.head();
    this.q = this.mine(head.q, d);
    this.k = rowOf(head.k, key, d);
    this.products = products(this.q, this.k);
    this.all = scores(this.q, head.k, d);
    this.names[0].replaceChildren(letter("query", "q", me));
    this.names[1].replaceChildren(letter("key", "k", labels[key]));
    this.vectors.show([this.q, this.k, this.products], { apart: true });
    this.trace();
    this.rows.show({ labels, values: [Array.from(this.all)], ranges: [spanOf(this.all)], chosen: key, query, seen });
    const told = Float64Array.from({ length: seen }, (_, j) => head.scores[query * T + j] * Math.sqrt(d));
    this.checked = agreement(this.all.subarray(0, seen), told);
    this.say(-1);
  }

  /** The sum as it grows, unit by unit. */
  trace() {
    const sums = running(this.products);
    const { largest } = limitOf(sums);
    const y = (value) => HIGH / 2 - (value / (largest || 1)) * (HIGH / 2 - 3);
    const wide = 1000;
    const path = Array.from(sums, (value, u) => `${u ? "H" : "M0 " + y(0) + "V" + y(value) + "H"}${(((u + 1) * wide) / sums.length).toFixed(1)}${u + 1 < sums.length ? `V${y(sums[u + 1]).toFixed(1)}` : ""}`).join("");
    const drawing = svg("svg", { viewBox: `0 0 ${wide} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": t("the sum so far, unit by unit; it ends at {value}", { value: short(sums.at(-1)) }) },
      svg("line", { x1: 0, x2: wide, y1: y(0), y2: y(0), class: "zero" }), svg("path", { d: path, class: "sum-line" }));
    this.sum.replaceChildren(drawing, make("span", { class: "num sum-end" }, short(sums.at(-1))));
    this.sum.lastChild.style.top = `${(100 * y(sums.at(-1))) / HIGH}%`;
  }

  say(unit) {
    if (!this.products) return;
    const { me, labels, q, k } = this;
    const { key, d } = this.walk;
    const of = [letter("query", "q", me), "·", letter("key", "k", labels[key])];
    const order = Array.from(this.products.keys()).sort((a, b) => Math.abs(this.products[b]) - Math.abs(this.products[a]));
    const first = unit >= 0 ? [unit] : order.slice(0, SPELLED);
    const rest = sum(this.products) - sum(first.map((u) => this.products[u]));
    const terms = first.flatMap((u, n) => [n ? "+" : "", number(q[u], "query"), "·", number(k[u], "key")]);
    const others = d > first.length ? ["+", make("span", { class: "quiet" }, t("{n} others", { n: d - first.length })), number(rest)] : [];
    this.fill(line(...of, "=", make("b", {}, number(sum(this.products)))), line("=", ...terms, ...others), this.checked);
  }

  tables() {
    const { labels, walk: { d, key } } = this;
    return [
      { name: t("products"), rows: ["q", `k ${labels[key]}`, t("products")], columns: this.units(d), values: Float64Array.from([...this.q, ...this.k, ...this.products]) },
      { name: "q·k", rows: [this.me], columns: labels, values: this.all },
    ];
  }
}
