/** Step 11: layer upon layer, and what would be predicted after each. */

import { hue, inkOn, sequential, signedRamp } from "../../color.js";
import { full, make, percent, short, t } from "../../words.js";
import { labelsOf } from "../labels.js";
import { TopTokens } from "../top-tokens.js";
import { Matrix } from "./matrix.js";
import { limitOf, rowOf } from "./numbers.js";
import { agreement, rangeBar } from "./pieces.js";
import { Step } from "./step.js";

const TOP = 5;

export class Stack extends Step {
  build() {
    const { layers, predicts } = this.walk;
    const name = (k) => (k < 0 ? t("embedding") : t("after layer {n}", { n: k }));
    this.rows = Array.from({ length: layers + 1 }, (_, k) => {
      const matrix = new Matrix({ label: `${t("residual stream")}, ${name(k - 1)}`, describe: (row, unit) => `${name(k - 1)} #${unit}` });
      const guess = make("b", { class: "guess" });
      const share = make("span", { class: "num" });
      const width = make("span", { class: "num quiet" });
      const node = make("li", { class: "floor" }, make("span", { class: "floor-name" }, name(k - 1)), matrix.element, width, ...(predicts ? [guess, share] : []));
      return { node, matrix, guess, share, width };
    });
    this.head = make("div", { class: `floor floor-head ${predicts ? "" : "mute"}`, "aria-hidden": "true" }, make("span", {}), make("span", {}, t("residual stream")), make("span", {}, t("range")), ...(predicts ? [make("span", {}, t("would say")), make("span", {})] : []));
    this.list = make("ol", { class: `floors ${predicts ? "" : "mute"}` }, ...this.rows.map(({ node }) => node).reverse());
    this.foot = make("p", { class: "mx-foot" });
    this.block("part", this.head, this.list, this.foot);
    if (!predicts) return;
    this.top = new TopTokens(TOP);
    this.answer = make("h3", {});
    this.block("part prediction", this.answer, this.top.node);
  }

  /** The slices of the token that looks. */
  get wanted() {
    const { query, predicts } = this.walk;
    const all = (quantity, extra = {}) => ({ point: `blocks.*.${quantity}`, at: { time: query }, ...extra });
    return [all("residual"), ...(predicts ? [{ point: "embedding.lens", at: { time: query }, top: TOP }, all("lens", { top: TOP })] : [])];
  }

  async fetch() {
    const { walk, wanted } = this;
    const found = await walk.slices(wanted);
    if (!found || JSON.stringify(wanted) !== JSON.stringify(this.wanted)) return;
    this.found = { of: walk.reading, query: walk.query, slices: found };
    this.draw();
  }

  draw() {
    const { walk, found } = this;
    const fresh = found && found.of === walk.reading && found.query === walk.query;
    this.figure.classList.toggle("pending", !fresh);
    if (!fresh) return;
    const { D, layers, predicts } = walk;
    const [residual, start, lens] = found.slices;
    const streams = [this.mine(walk.reading.embedding, D), ...Array.from({ length: layers }, (_, k) => rowOf(residual.data, k, D))];
    this.streams = streams;
    const height = 1.5 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    const { css } = sequential(hue("y"));
    this.rows.forEach(({ node, matrix, guess, share, width }, k) => {
      // The stream grows from layer to layer: each row has a range of its own, or the first were blank.
      const { limit } = limitOf(streams[k]);
      matrix.show({ values: streams[k], rows: 1, columns: D, limit, height });
      width.textContent = `± ${short(limit)}`;
      node.classList.toggle("chosen", k - 1 === walk.state.layer);
      if (!predicts) return;
      const [token, chance] = k ? [lens.tokens[(k - 1) * TOP], lens.data[(k - 1) * TOP]] : [start.tokens[0], start.data[0]];
      guess.textContent = this.label(token);
      const fill = css[Math.round(255 * Math.sqrt(chance) * 0.72)];
      guess.style.background = fill;
      guess.style.color = inkOn(fill);
      share.textContent = percent(chance);
      guess.title = share.title = full(chance);
    });
    this.foot.replaceChildren(rangeBar(signedRamp(), -1, 1), t("times the range of the row"));
    if (predicts) this.predict(lens);
  }

  label(token) {
    return labelsOf([...this.walk.reading.tokens.slice(0, this.walk.query + 1), token]).at(-1);
  }

  /** After the last layer it is what the network predicts. */
  predict(lens) {
    const { walk } = this;
    const { layers, query, reading, T } = walk;
    const next = walk.causal ? query + 1 : query;
    const from = (layers - 1) * TOP;
    const tokens = Array.from({ length: Math.min(TOP, lens.shape.at(-1)) }, (_, k) => ({ label: this.label(lens.tokens[from + k]), chance: lens.data[from + k], truth: next < T && lens.ids[from + k] === reading.ids[next] }));
    this.top.show(tokens);
    this.answer.textContent = walk.causal ? t("after “{token}” it expects", { token: this.me }) : t("in the place of “{token}” it would put", { token: this.me });
    const last = query === T - 1 && reading.next;
    this.fill(...(last && walk.causal ? [agreement(lens.data.subarray(from, from + tokens.length), reading.next.probabilities.subarray(0, tokens.length))] : []));
  }

  tables() {
    const names = ["x", ...Array.from({ length: this.walk.layers }, (_, k) => t("after layer {n}", { n: k }))];
    return this.streams ? [{ name: "x", rows: names, columns: this.units(this.walk.D), values: Float64Array.from(this.streams.flatMap((row) => [...row])) }] : [];
  }
}
