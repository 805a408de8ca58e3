/** Step 2: the normed stream becomes a query, keys and values. */

import { signedRamp } from "../../color.js";
import { make, t } from "../../words.js";
import { dials } from "./dials.js";
import { Matrix } from "./matrix.js";
import { limitOf, normed, refitted, turnedBack } from "./numbers.js";
import { agreement, letter, line, number, rangeBar, size } from "./pieces.js";
import { Step } from "./step.js";
import { Vectors } from "./vectors.js";

export class Projections extends Step {
  build() {
    const { config } = this.walk.about;
    this.turns = config.positions === "rotary";
    this.first = config.norm_first;
    this.names = [make("span", {}), make("span", {})];
    this.vectors = new Vectors(this.figure, [
      { label: [this.names[0]], words: t("residual stream") },
      { sign: "→", label: [this.names[1]], words: t("what attention reads") },
    ]);
    const units = (name) => (row, unit) => `${name} ${this.labels[row] ?? this.me} #${unit}`;
    const part = (hue, name, words, describe, onChoose) => {
      const title = make("span", {});
      const matrix = new Matrix({ label: words, title: [letter(hue, name), title], describe, onChoose, onPoint: (row, unit) => this.point(unit) });
      return { matrix, title };
    };
    const query = (row, unit) => `q ${this.me} #${unit}`;
    this.unturned = part("query", "q", t("query before it is turned"), query);
    this.q = part("query", "q", t("query of the chosen token"), query);
    const choose = (row) => this.walk.set({ key: row });
    this.k = part("key", "K", t("keys of all tokens"), units("k"), choose);
    this.v = part("value", "V", t("values of all tokens"), units("v"), choose);
    this.turning = make("div", { class: "dials" });
    this.unturned.matrix.element.hidden = this.turning.hidden = !this.turns;
    this.sides = this.block("sides part",
      make("div", { class: "side" }, this.unturned.matrix.element, this.turning, this.q.matrix.element, this.k.matrix.element),
      make("div", { class: "side side-low" }, this.v.matrix.element));
    this.foot = make("p", { class: "mx-foot" });
    this.figure.append(this.foot);
  }

  draw() {
    const { walk, labels, me } = this;
    const { layer, D, d, T, query } = walk;
    const { q, k, v } = (this.parts = walk.head());
    const mine = this.mine(q, d);
    this.names[0].replaceChildren(letter("h", "x", me));
    this.names[1].replaceChildren(letter("h", "r", me));
    this.vectors.show([this.mine(layer.x, D), this.first ? this.mine(layer.read, D) : null], { apart: true });
    const { limit, largest } = limitOf(q, k, v);
    const rows = { rows: T, columns: d, limit, height: T * this.rowHeight, rowLabels: labels };
    const one = { ...rows, rows: 1, height: this.rowHeight, rowLabels: [me] };
    if (this.turns) {
      const base = walk.about.config.rotary_base;
      this.unturned.matrix.show({ ...one, values: turnedBack(mine, query, base) });
      this.unturned.title.replaceChildren(t("before turning"));
      this.turning.replaceChildren(dials(query, d / 2, base));
    }
    this.q.matrix.show({ ...one, values: mine });
    this.q.title.replaceChildren(size(1, d), ...(this.turns ? [` ${t("turned by its place, {n}", { n: query })}`] : []));
    this.k.matrix.show({ ...rows, values: k });
    this.v.matrix.show({ ...rows, values: v });
    for (const { title } of [this.k, this.v]) title.replaceChildren(size(T, d));
    this.foot.replaceChildren(rangeBar(signedRamp(), -limit, limit, largest));
    this.point(-1);
    this.check();
  }

  point(unit) {
    const column = unit < 0 ? [] : [{ column: unit, ink: "--ink" }];
    const { query, key, layer } = this.walk;
    this.unturned.matrix.mark(column);
    this.q.matrix.mark(column);
    this.k.matrix.mark([...column, { row: key, ink: "--q-key" }]);
    this.v.matrix.mark([...column, { row: key, ink: "--q-value" }]);
    if (query < 0) return;
    const mine = this.mine(this.parts.q, this.walk.d);
    const u = this.spoken(unit, mine);
    this.fill(
      line(letter("query", "q", `${this.me},#${u}`), "=", number(mine[u], "query")),
      line(letter("key", "k", `${this.labels[key]},#${u}`), "=", number(this.parts.k[key * this.walk.d + u], "key"), " ", letter("value", "v", `${this.labels[key]},#${u}`), "=", number(this.parts.v[key * this.walk.d + u], "value")),
      layer.number ? make("p", { class: "note" }, t("Here x is the stream that layer {n} has left.", { n: layer.number - 1 })) : null,
      this.checked,
    );
  }

  /** One gain and one shift a unit make of every token's normalised stream what attention reads. */
  check() {
    const { layer, D, T, about: { config } } = this.walk;
    const before = new Float64Array(T * D);
    for (let k = 0; k < T; k++) before.set(normed(layer.x.subarray(k * D, (k + 1) * D), config.norm, config.norm_eps), k * D);
    const own = this.first ? refitted(before, layer.read, D, config.norm) : null;
    this.checked = own && agreement(own, layer.read, "the norm was computed here, with one gain a unit for all tokens; it agrees in {n} digits");
    this.point(-1);
  }

  tables() {
    const { q, k, v } = this.walk.head();
    const columns = this.units(this.walk.d);
    return [["q", q], ["k", k], ["v", v]].map(([name, values]) => ({ name, rows: this.labels, columns, values }));
  }
}
