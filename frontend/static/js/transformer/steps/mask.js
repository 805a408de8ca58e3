/** Step 5: what may be seen. */

import { signedRamp } from "../../color.js";
import { make, short, t } from "../../words.js";
import { Matrix } from "./matrix.js";
import { limitOf, scores } from "./numbers.js";
import { agreement, letter, line, rangeBar, size } from "./pieces.js";
import { Step } from "./step.js";

export class Mask extends Step {
  build() {
    const describe = (row, column) => `${this.labels[row]} → ${this.labels[column]}`;
    const onChoose = (query, key) => this.walk.set({ query, key });
    const part = (title, label) => new Matrix({ label, title, describe, onChoose });
    this.sizes = [make("span", {}), make("span", {})];
    this.whole = part([letter("a", "S"), t("all scores"), this.sizes[0]], t("scores of all tokens: rows look, columns are looked at"));
    this.masked = part([letter("a", "S"), t("what may be seen"), this.sizes[1]], t("scores that may be seen: rows look, columns are looked at"));
    this.maps = this.block("maps", this.whole.element, ...(this.walk.causal ? [make("span", { class: "then", "aria-hidden": "true" }, "→"), this.masked.element] : []));
    this.foot = make("p", { class: "mx-foot" });
    this.figure.append(this.foot);
  }

  draw() {
    const { walk, labels } = this;
    const { d, T, query, key, causal, seen } = walk;
    const { q, k, scores: told } = walk.head();
    const all = (this.all = scores(q, k, d).map((value) => value / Math.sqrt(d)));
    const may = (at) => !causal || at % T <= Math.floor(at / T);
    const masked = (this.seen = all.map((value, at) => (may(at) ? value : NaN)));
    const { limit, largest } = limitOf(all);
    const side = this.side();
    const common = { rows: T, columns: T, limit, width: side, height: side, columnLabels: labels };
    this.whole.show({ ...common, values: all, rowLabels: labels });
    this.whole.mark([{ row: query, ink: "--q-query" }]);
    if (causal) {
      this.masked.show({ ...common, values: masked, rowLabels: labels });
      this.masked.mark([{ row: query, ink: "--q-query" }]);
    }
    for (const host of this.sizes) host.replaceChildren(size(T, T));
    const hatched = make("span", { class: "hatch-key" }, make("i", {}), "−∞");
    this.foot.replaceChildren(rangeBar(signedRamp(), -limit, limit, largest), ...(causal ? [hatched] : []));
    const own = all.map((value, at) => (may(at) ? value : -Infinity));
    this.fill(
      line(letter("a", "s", `${this.me},${labels[key]}`), "=", short(causal && key > query ? -Infinity : all[query * T + key])),
      make("p", { class: "note" }, t("“{token}” may look at {seen} of {all} tokens; of the whole square {cells} of {square} cells are left.", { token: this.me, seen, all: T, cells: own.filter(Number.isFinite).length, square: T * T })),
      agreement(own, told),
    );
  }

  /** Css px of a map's side: both beside each other where there is room. */
  side() {
    const room = this.maps.clientWidth;
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const names = this.namesWidth;
    const each = room > 560 * scale && this.walk.causal ? (room - 80 * scale) / 2 : room;
    return Math.round(Math.max(8 * this.walk.T, Math.min(each - names, 24 * scale * this.walk.T, 400 * scale)));
  }

  tables() {
    return [{ name: "S", rows: this.labels, columns: this.labels, values: this.seen }];
  }
}
