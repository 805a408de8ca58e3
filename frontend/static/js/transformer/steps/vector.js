/** Step 1: a token is a row of numbers, its place is another, and their sum is the stream. */

import { signedRamp } from "../../color.js";
import { make, t } from "../../words.js";
import { Matrix } from "./matrix.js";
import { digits, limitOf, minus, rowOf } from "./numbers.js";
import { letter, line, number, rangeBar, size } from "./pieces.js";
import { Step } from "./step.js";
import { Vectors } from "./vectors.js";

export class Vector extends Step {
  build() {
    const { config } = this.walk.about;
    this.table = this.walk.points.has("positions") && !config.embedding_norm;
    this.names = [make("span", {}), make("span", {}), make("span", {})];
    this.vectors = new Vectors(this.figure, [
      { label: [this.names[0]], words: t("row of the token") },
      { sign: "+", label: [this.names[1]], words: t("row of its place") },
      { sign: this.table ? "=" : "", label: [this.names[2]], words: t("residual stream") },
    ], (unit) => this.say(unit));
    this.title = make("span", {});
    this.all = new Matrix({
      label: t("residual stream of all tokens: a row a token, a column a unit"),
      title: [letter("h", "X"), this.title],
      describe: (row, unit) => `${this.labels[row]} #${unit}`,
      onPoint: (row, unit) => this.vectors.point(unit),
      onChoose: (row) => this.walk.set({ query: row, key: -1 }),
    });
    this.foot = make("p", { class: "mx-foot" });
    this.all.element.classList.add("aligned");
    this.block("part", this.all.element, this.foot);
  }

  draw() {
    const { walk, labels, me } = this;
    const { reading, D, T, query } = walk;
    const x = this.mine(reading.embedding, D);
    const place = reading.positions ? this.mine(reading.positions, D) : null;
    this.parts = this.table ? [minus(x, place), place, x] : [null, null, x];
    const scale = walk.about.config.embedding_scale;
    this.names[0].replaceChildren(...(scale && scale !== 1 ? [number(scale), " · "] : []), letter("x", "E", me));
    this.names[1].replaceChildren(letter("g", "P", query));
    this.names[2].replaceChildren(letter("h", "x", me));
    this.vectors.show(this.parts);
    this.title.replaceChildren(size(T, D));
    const { limit, largest } = limitOf(reading.embedding);
    this.all.show({ values: reading.embedding, rows: T, columns: D, limit, height: T * this.rowHeight, rowLabels: labels });
    this.all.mark([{ row: query, ink: "--q-query" }]);
    this.foot.replaceChildren(rangeBar(signedRamp(), -limit, limit, largest));
    this.say(-1);
  }

  /** One unit in numbers. */
  say(unit) {
    if (!this.parts) return;
    const [token, place, x] = this.parts;
    const u = this.spoken(unit, x);
    const sum = token ? ["=", number(token[u], "x"), "+", number(place[u], "g")] : ["=", number(x[u], "x")];
    this.fill(line(letter("h", "x", `${this.me},#${u}`), "=", number(x[u], "h"), ...(token ? sum : [])), this.twice());
  }

  /** A token that stands at several places has the same row at all of them. */
  twice() {
    const { reading, D, T } = this.walk;
    if (this.walk.about.config.embedding_norm) return null;
    const bare = reading.positions ? minus(reading.embedding, reading.positions) : reading.embedding;
    const places = new Map();
    for (let k = 0; k < T; k++) places.set(reading.ids[k], [...(places.get(reading.ids[k]) ?? []), k]);
    const [most] = [...places.values()].sort((a, b) => b.length - a.length);
    if (!most || most.length < 2) return null;
    const agreed = Math.min(...most.slice(1).map((k) => digits(rowOf(bare, k, D), rowOf(bare, most[0], D))));
    return make("p", { class: "agree", "data-digits": String(agreed) }, t("“{token}” stands here {n} times: apart from its place it is the same row, in {digits} digits", { token: this.labels[most[0]].replace(/^·/, ""), n: most.length, digits: agreed }));
  }

  tables() {
    const { reading } = this.walk;
    return [{ name: "x", rows: this.labels, columns: this.units(this.walk.D), values: reading.embedding }];
  }
}
