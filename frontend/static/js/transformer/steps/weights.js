/** Step 6: scores become weights. */

import { make, short, t } from "../../words.js";
import { entropy, rowOf, scores, softmax } from "./numbers.js";
import { agreement, letter, line, number, weight } from "./pieces.js";
import { Step } from "./step.js";
import { TokenRows } from "./token-rows.js";

const power = (text) => make("span", {}, "e", make("sup", {}, text));

export class Weights extends Step {
  build() {
    const s = letter("a", "s");
    this.rows = new TokenRows(this.figure, {
      label: t("from scores to weights"),
      columns: [
        { kind: "number", title: [s] },
        { kind: "bar", title: [power("s − max")], hue: "--ink-3" },
        { kind: "weight", title: [letter("attention", "a")], hue: "--q-attention" },
      ],
      onChoose: (key) => this.walk.set({ key }),
    });
  }

  draw() {
    const { walk, labels, me } = this;
    const { d, T, query, key, seen } = walk;
    const head = walk.head();
    const row = (this.row = scores(this.mine(head.q, d), head.k, d).map((value) => value / Math.sqrt(d)));
    const { largest, raised, total, weights } = softmax(row, seen);
    this.weights = weights;
    const bits = entropy(weights);
    const blank = (values) => Array.from(values, (value, j) => (j < seen ? value : null));
    this.rows.show({
      labels, values: [Array.from(row, (value, j) => (j < seen ? value : -Infinity)), blank(raised), blank(weights)], ranges: [[0, 1], [0, 1], [0, 1]], chosen: key, query, seen,
      foot: [["max ", number(largest)], ["Σ ", number(total)], ["Σ ", number(weights.reduce((a, b) => a + b, 0), "attention")]],
    });
    const shown = key < seen;
    this.fill(
      line(letter("attention", "a", `${me},${labels[key]}`), "=", ...(shown ? [power(`${short(row[key])} − ${short(largest)}`.replace("− −", "+ ")), "/", number(total), "=", number(raised[key]), "/", number(total), "=", weight(weights[key])] : [power("−∞"), "= 0"])),
      line("H = −Σ", letter("attention", "a"), "log₂", letter("attention", "a"), "=", t("{n} bits", { n: short(bits) })),
      make("p", { class: "note" }, t("As wide as looking at {n} tokens alike; all {seen} alike would be {most} bits.", { n: short(2 ** bits), seen, most: short(Math.log2(seen)) })),
      agreement(weights, rowOf(head.attention, query, T)),
    );
  }

  tables() {
    return [{ name: "a", rows: ["s", "a"], columns: this.labels, values: Float64Array.from([...this.row, ...this.weights]) }];
  }
}
