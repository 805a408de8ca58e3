/** Step 10: what attention found is added to the stream, and a feed-forward part thinks about it. */

import { signedRamp } from "../../color.js";
import { make, percent, short, t } from "../../words.js";
import { Matrix } from "./matrix.js";
import { limitOf, moments, normed, plus, refitted, rms } from "./numbers.js";
import { agreement, letter, line, number, rangeBar, size } from "./pieces.js";
import { Step } from "./step.js";
import { Vectors } from "./vectors.js";

const ACTIVE = 0.1; // of the largest hidden number: those above it are counted as active

export class Stream extends Step {
  build() {
    const { norm_first: first } = this.walk.about.config;
    const heading = (text) => make("h3", {}, text);
    const added = this.block("part", heading(t("what attention found is added")));
    // With the norm after the sum, the sum itself has no letter.
    const sum = () => (first ? [letter("h", "y")] : [t("sum")]);
    this.first = new Vectors(added, [
      { label: [letter("h", "x")], words: t("residual stream") },
      { sign: "+", label: [letter("attention", "o")], words: t("what attention adds") },
      { sign: "=", label: sum(), words: t("their sum") },
    ], (unit) => this.say(unit));
    this.firstCheck = make("div", {});
    const norm = this.block("part", heading(first ? t("a copy of it is normalised") : t("it is normalised")));
    this.stats = make("div", { class: "stats" });
    this.normed = new Vectors(norm, [
      { label: sum(), words: t("before the norm") },
      { sign: "→", label: [letter("h", first ? "r" : "y")], words: t("after the norm") },
    ]);
    norm.append(this.stats);
    (first ? added : norm).append(this.firstCheck);
    const mlp = this.block("part", heading(t("the MLP works on it")));
    this.hiddenTitle = make("span", {});
    this.hidden = new Matrix({ label: t("hidden numbers of the MLP"), title: [letter("g", "m"), this.hiddenTitle], describe: (row, unit) => `#${unit}` });
    this.hiddenFoot = make("p", { class: "mx-foot" });
    this.active = make("p", { class: "note" });
    mlp.append(this.hidden.element, this.hiddenFoot, this.active);
    const last = this.block("part", heading(t("and what it found is added too")));
    this.last = new Vectors(last, [
      { label: [letter("h", "y")], words: first ? t("their sum") : t("after the norm") },
      { sign: "+", label: [letter("g", "f")], words: t("what the MLP adds") },
      { sign: "=", label: first ? [letter("h", "x′")] : sum(), words: first ? t("residual stream after the layer") : t("their sum") },
    ], (unit) => this.say(unit));
    this.lastCheck = make("div", {});
    last.append(this.lastCheck);
  }

  draw() {
    const { walk } = this;
    const { layer, D, T, about: { config } } = walk;
    const row = (values) => this.mine(values, D);
    const first = config.norm_first;
    const [x, added, mlp, after] = [layer.x, layer.attended, layer.mlp, layer.residual].map(row);
    const sum = plus(x, added);
    const middle = row(layer.middle);
    // Before the norm: with the norm after each part, the sum itself; else the stream.
    const before = first ? middle : sum;
    const read = first ? row(layer["mlp.read"]) : middle;
    const end = plus(middle, mlp);
    this.parts = { x, added, sum, middle, mlp, end: first ? after : end, after };
    this.first.show([x, added, sum]);
    this.normed.show([before, read], { apart: true });
    this.last.show([middle, mlp, this.parts.end]);
    this.told(before, read);
    this.think(layer["mlp.hidden"].subarray(walk.query * (layer["mlp.hidden"].length / T), (walk.query + 1) * (layer["mlp.hidden"].length / T)));
    this.firstCheck.replaceChildren(...(first ? [agreement(sum, middle)] : this.afterNorm(plus(layer.x, layer.attended), layer.middle)));
    this.lastCheck.replaceChildren(...(first ? [agreement(end, after)] : this.afterNorm(plus(layer.middle, layer.mlp), layer.residual)));
    this.say(-1);
  }

  /** Where the norm comes after the sum: its gain and shift are told from all tokens together. */
  afterNorm(sums, told) {
    const { D, about: { config } } = this.walk;
    const own = refitted(this.normedRows(sums), told, D, config.norm);
    return own ? [agreement(own, told, "the norm was computed here, with one gain a unit for all tokens; it agrees in {n} digits")] : [];
  }

  normedRows(values) {
    const { D, T, about: { config } } = this.walk;
    const found = new Float64Array(T * D);
    for (let k = 0; k < T; k++) found.set(normed(values.subarray(k * D, (k + 1) * D), config.norm, config.norm_eps), k * D);
    return found;
  }

  /** The row in numbers, before and after its norm. */
  told(before, read) {
    const { norm, norm_eps: eps } = this.walk.about.config;
    const plain = normed(before, norm, eps);
    const columns = [[t("before the norm"), before], [t("normalised"), plain], [t("with the learned gain"), read]];
    const rows = norm === "rms"
      ? [[t("root of the mean square"), (values) => rms(values)]]
      : [[t("mean"), (values) => moments(values).mean], [t("variance"), (values) => moments(values).variance]];
    const cell = (tag, ...children) => make(tag, {}, ...children);
    this.stats.replaceChildren(make("table", { class: "terms" },
      make("thead", {}, make("tr", {}, cell("td"), ...columns.map(([name]) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows.map(([name, of]) => make("tr", {}, make("th", { scope: "row" }, name), ...columns.map(([, values]) => cell("td", number(tidy(of(values))))))))));
  }

  think(hidden) {
    const { limit, largest } = limitOf(hidden);
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    this.hidden.show({ values: hidden, rows: 1, columns: hidden.length, limit, height: 28 * scale });
    this.hiddenTitle.replaceChildren(size(1, hidden.length));
    this.hiddenFoot.replaceChildren(rangeBar(signedRamp(), -limit, limit, largest));
    const active = hidden.reduce((n, value) => n + (Math.abs(value) > ACTIVE * largest), 0);
    this.active.textContent = t("{n} of {all} hidden numbers ({share}) are larger than a tenth of the largest: the rest are almost silent on this token.", { n: active, all: hidden.length, share: percent(active / hidden.length) });
    this.hiddenValues = hidden;
  }

  say(unit) {
    if (!this.parts) return;
    const { x, added, sum, middle, mlp, end, after } = this.parts;
    const u = this.spoken(unit, end);
    const { norm_first: first } = this.walk.about.config;
    // A norm after the sum is of the whole row: its number is told behind an arrow.
    const behind = (name, row) => (first ? [] : ["norm →", name, "=", number(row[u], "h")]);
    this.fill(
      line(first ? letter("h", "y", `#${u}`) : "", first ? "=" : "", number(x[u], "h"), "+", number(added[u], "attention"), "=", number(sum[u], "h"), ...behind(letter("h", "y", `#${u}`), middle)),
      line(first ? letter("h", "x′", `#${u}`) : "", first ? "=" : "", number(middle[u], "h"), "+", number(mlp[u], "g"), "=", number(end[u], "h"), ...behind(letter("h", "x′", `#${u}`), after)),
      make("p", { class: "note" }, t("Sizes (root of the mean square): the stream {x}, attention adds {attention}, the MLP {mlp}.", { x: short(rms(x)), attention: short(rms(added)), mlp: short(rms(mlp)) })),
    );
  }

  tables() {
    const { x, added, middle, mlp, after } = this.parts;
    return [
      { name: "x", rows: ["x", "o", "y", "f", "x′"], columns: this.units(this.walk.D), values: Float64Array.from([...x, ...added, ...middle, ...mlp, ...after]) },
      { name: "m", rows: [this.me], columns: this.units(this.hiddenValues.length), values: this.hiddenValues },
    ];
  }
}

/** A mean that is 0 but for rounding is 0. */
function tidy(value) {
  return Math.abs(value) < 1e-9 ? 0 : value;
}
