/** Step 8: all tokens ask at once, and the whole is two products of matrices. */

import { attentionRamp, signedRamp } from "../../color.js";
import { count, make, t } from "../../words.js";
import { Matrix } from "./matrix.js";
import { limitOf, product, scores, softmax } from "./numbers.js";
import { agreement, letter, line, rangeBar, size } from "./pieces.js";
import { Step } from "./step.js";

const sign = (text) => make("span", { class: "mm-sign" }, text);

export class Matrices extends Step {
  build() {
    const token = (k) => this.labels[k];
    const make1 = (name, hue, words, describe, options = {}) => {
      const title = make("span", {});
      const matrix = new Matrix({ label: words, title: [make("span", {}, letter(hue, name.replace("ᵀ", "")), ...(name.endsWith("ᵀ") ? [make("sup", {}, "T")] : [])), title], describe, onPoint: (row, column) => this.point(name, row, column), ...options });
      return { matrix, title };
    };
    const unit = (letters) => (row, column) => `${letters} ${token(row)} #${column}`;
    const pair = (row, column) => `${token(row)} → ${token(column)}`;
    const onChoose = (query, key) => this.walk.set({ query, key });
    this.Q = make1("Q", "query", t("queries of all tokens"), unit("q"));
    this.K = make1("Kᵀ", "key", t("keys of all tokens, a column a token"), (row, column) => `k ${token(column)} #${row}`);
    this.S = make1("S", "a", t("scores of all tokens: rows look, columns are looked at"), pair, { onChoose });
    this.A = make1("A", "attention", t("weights of all tokens: rows look, columns are looked at"), pair, { ramp: "attention", onChoose });
    this.V = make1("V", "value", t("values of all tokens"), unit("v"));
    this.Z = make1("Z", "value", t("what the head hands on, of all tokens"), unit("z"));
    this.host = this.block("mm",
      this.Q.matrix.element, sign("·"), this.K.matrix.element, sign("="), this.S.matrix.element,
      make("p", { class: "mm-then" }, "softmax ↓"),
      this.A.matrix.element, sign("·"), this.V.matrix.element, sign("="), this.Z.matrix.element);
    this.S.matrix.element.classList.add("mm-s");
    this.foot = make("p", { class: "mx-foot" });
    this.figure.append(this.foot);
  }

  draw() {
    const { walk, labels } = this;
    const { T, d, causal } = walk;
    const head = walk.head();
    const raw = scores(head.q, head.k, d).map((value) => value / Math.sqrt(d));
    const masked = raw.map((value, at) => (causal && at % T > Math.floor(at / T) ? NaN : value));
    const own = new Float64Array(T * T);
    for (let i = 0; i < T; i++) own.set(softmax(raw.subarray(i * T, (i + 1) * T), causal ? i + 1 : T).weights, i * T);
    const z = product(own, head.v, T, d);
    const across = Float64Array.from({ length: d * T }, (_, at) => head.k[(at % T) * d + Math.floor(at / T)]);
    const limits = [limitOf(head.q, head.k), limitOf(raw), limitOf(head.v, z)];
    const room = this.host.clientWidth;
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const wide = room > 620 * scale;
    const names = this.namesWidth;
    const unit = (wide ? room - 3 * names - 96 * scale : room - names) / (wide ? 3 : 1);
    const cell = Math.max(7, Math.min(18 * scale, unit / T, (wide ? 340 : 300) * scale / T));
    const long = Math.min(unit, 12 * d * scale);
    const square = { rows: T, columns: T, width: cell * T, height: cell * T };
    const tall = { rows: T, columns: d, width: Math.round(long), height: cell * T, rowLabels: labels };
    this.Q.matrix.show({ ...tall, values: head.q, limit: limits[0].limit });
    this.K.matrix.show({ values: across, rows: d, columns: T, limit: limits[0].limit, width: cell * T, height: Math.max(cell * T, Math.min(3 * d, 240)), columnLabels: labels });
    this.S.matrix.show({ ...square, values: masked, limit: limits[1].limit, rowLabels: labels, columnLabels: labels });
    this.A.matrix.show({ ...square, values: own, limit: 1, rowLabels: labels, columnLabels: labels });
    this.V.matrix.show({ ...tall, values: head.v, limit: limits[2].limit });
    this.Z.matrix.show({ ...tall, values: z, limit: limits[2].limit });
    for (const { title } of [this.Q, this.V, this.Z]) title.replaceChildren(size(T, d));
    this.K.title.replaceChildren(size(d, T));
    for (const { title } of [this.S, this.A]) title.replaceChildren(size(T, T));
    const bar = ({ limit, largest }, ...of) => rangeBar(signedRamp(), -limit, limit, largest, make("span", {}, ...of));
    this.foot.replaceChildren(
      bar(limits[0], letter("query", "Q"), " ", letter("key", "K")), bar(limits[1], letter("a", "S")),
      rangeBar(attentionRamp(), 0, 1, 0, letter("attention", "A")), bar(limits[2], letter("value", "V"), " ", letter("value", "Z")));
    Object.assign(this, { own, z });
    this.point("", -1, -1);
    this.fill(
      line(size(T, d), "·", size(d, T), "=", size(T, T)),
      line(size(T, T), "·", size(T, d), "=", size(T, d)),
      make("p", { class: "note" }, t("{n} products of two numbers in this head alone; twice as many tokens make it four times as many.", { n: count(2 * T * T * d) })),
      agreement(z, head.z),
    );
  }

  /** What a cell is made of: a row of one matrix, a column of the other. */
  point(name, row, column) {
    const { query, key } = this.walk;
    const [i, j] = { S: [row, column], A: [row, column], Q: [row, -1], Z: [row, -1], V: [-1, row], "Kᵀ": [-1, column] }[name] ?? [-1, -1];
    const unit = ["Q", "V", "Z"].includes(name) ? column : name === "Kᵀ" ? row : -1;
    const me = { row: i >= 0 ? i : query, ink: "--q-query", dash: i >= 0 };
    const it = j >= 0 ? j : key;
    const at = (what) => (unit >= 0 && what ? [{ column: unit, ink: "--ink", dash: true }] : []);
    this.Q.matrix.mark([me, ...at(name === "Q" || name === "Kᵀ")]);
    this.K.matrix.mark([{ column: it, ink: "--q-key", dash: j >= 0 }, ...(unit >= 0 && (name === "Q" || name === "Kᵀ") ? [{ row: unit, ink: "--ink", dash: true }] : [])]);
    this.S.matrix.mark([{ row: me.row, column: it, ink: "--ink" }]);
    this.A.matrix.mark([me, ...(j >= 0 ? [{ column: j, ink: "--q-key", dash: true }] : [])]);
    this.V.matrix.mark([...(name === "Z" ? [] : [{ row: it, ink: "--q-value", dash: j >= 0 }]), ...at(name === "V" || name === "Z")]);
    this.Z.matrix.mark([me, ...at(name === "V" || name === "Z")]);
  }

  tables() {
    const { labels, walk: { d } } = this;
    const { q, k, v } = this.walk.head();
    const columns = this.units(d);
    return [
      { name: "Q", rows: labels, columns, values: q }, { name: "K", rows: labels, columns, values: k },
      { name: "A", rows: labels, columns: labels, values: this.own, weights: true },
      { name: "V", rows: labels, columns, values: v }, { name: "Z", rows: labels, columns, values: this.z },
    ];
  }
}
