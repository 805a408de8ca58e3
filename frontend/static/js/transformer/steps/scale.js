/** Step 4: divided by the root of d, scores keep their size whatever d is. */

import { short, t } from "../../words.js";
import { entropy, rowOf, scores, softmax, spanOf } from "./numbers.js";
import { agreement, letter, line, number } from "./pieces.js";
import { Step } from "./step.js";
import { TokenRows } from "./token-rows.js";

export class Scale extends Step {
  build() {
    const s = () => letter("a", "s");
    this.rows = new TokenRows(this.figure, {
      label: t("scores and weights before and after they are scaled"),
      columns: [
        { kind: "bar", title: [s()], hue: "--ink-3" },
        { kind: "bar", title: [s(), " / √d"], hue: "--ink" },
        { kind: "weight", title: ["softmax ", s()], hue: "--ink-3" },
        { kind: "weight", title: ["softmax ", s(), " / √d"], hue: "--q-attention" },
      ],
      onChoose: (key) => this.walk.set({ key }),
    });
  }

  draw() {
    const { walk, labels, me } = this;
    const { d, T, query, key, seen } = walk;
    const head = walk.head();
    const raw = (this.raw = scores(this.mine(head.q, d), head.k, d));
    const scaled = (this.scaled = raw.map((value) => value / Math.sqrt(d)));
    const [sharp, soft] = [raw, scaled].map((row) => softmax(row, seen).weights);
    const span = spanOf(raw);
    const weights = (row) => Array.from(row, (value, j) => (j < seen ? value : null));
    const bits = (row) => t("{n} bits", { n: short(entropy(row)) });
    this.rows.show({ labels, values: [Array.from(raw), Array.from(scaled), weights(sharp), weights(soft)], ranges: [span, span, [0, 1], [0, 1]], chosen: key, query, seen, foot: ["", "", bits(sharp), bits(soft)] });
    const told = rowOf(head.scores, query, T).subarray(0, seen);
    this.fill(
      line(letter("a", "s", `${me},${labels[key]}`), "/ √d =", number(raw[key]), `/ √${d} =`, number(raw[key]), "/", number(Math.sqrt(d)), "=", number(scaled[key])),
      agreement(scaled.subarray(0, seen), told),
    );
  }

  tables() {
    return [{ name: "s", rows: ["s", "s/√d"], columns: this.labels, values: Float64Array.from([...this.raw, ...this.scaled]) }];
  }
}
