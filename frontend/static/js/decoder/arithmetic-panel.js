/**
 * The arithmetic behind a cell of the alignment, with its numbers: energy, softmax, weighted sum.
 * Recomputed on the page from the points, and held against what the network sent.
 */

import { full, make, short, t } from "../words.js";
import { apart, contextUnit, energy, largest, softmax, strongestOf } from "./arithmetic.js";

const TERMS = 5; // of an energy
const POSITIONS = 6; // of a row of weights
const ALIKE = 1e-4; // of the largest number: single against double precision

/** A letter in its colour with its index. */
function letter(name, text, index = "") {
  const node = make("i", { class: `q q-${name}` }, text);
  if (index) node.append(make("sub", {}, index));
  return node;
}

const HEADINGS = { none: "the one vector, in numbers", state: "no attention" };
const WAITING = {
  none: "This network has no attention: every step gets the same vector C.",
  state: "The decoder begins with the encoder's last state and gets nothing else of what was read.",
};

const number = (value, extra = {}) => make("span", { class: "num", title: full(value), ...extra }, short(value));
const sign = (text) => make("span", { class: "sign" }, text);
const line = (...parts) => make("p", { class: "reckon" }, ...parts.flatMap((part) => [part, " "]));

/** A table of terms: head cells, then rows of nodes. */
function table(head, rows) {
  const cell = (tag) => (content) => make(tag, {}, content);
  return make("table", { class: "terms" },
    make("thead", {}, make("tr", {}, ...head.map((content) => make("th", { scope: "col" }, content)))),
    make("tbody", {}, ...rows.map(({ cells, current }) => {
      const row = make("tr", {}, ...cells.map(cell("td")));
      row.classList.toggle("current", Boolean(current));
      return row;
    })));
}

export class ArithmeticPanel {
  /**
   * @param {object} options
   * @param {"additive"|"general"|"dot"|"none"|"state"} options.score  state: no context either
   * @param {string} [options.annotation]  the letter of what is looked at: h, a state of an encoder
   * @param {(target: number, source: number) => void} options.onForce
   * @param {(target: number) => void} options.onRelease @param {() => void} options.onUnit
   */
  constructor(host, { run, link, score, annotation = "h", onForce, onRelease, onUnit }) {
    Object.assign(this, { host, run, link, score, annotation, onForce, onRelease, onUnit });
    this.unit = -1; // of the context; -1: the one with the largest value
    this.heading = make("h2", {}, t(HEADINGS[score] ?? "one cell, in numbers"));
    this.waiting = t(WAITING[score] ?? "Click a cell of the alignment to see the arithmetic behind it.");
    this.hint = make("p", { class: "note" }, this.waiting);
    this.body = make("div", { class: "arithmetic" });
    this.unitField = make("input", { type: "number", class: "field num", min: "0", step: "1", "aria-label": t("unit of the context") });
    this.unitField.addEventListener("change", () => {
      this.unit = this.unitField.value === "" ? -1 : Math.max(0, Math.min(this.units - 1, Math.round(Number(this.unitField.value) || 0)));
      this.draw();
      this.onUnit();
    });
    host.append(make("div", { class: "microscope-head" }, this.heading), this.hint, this.body);
  }

  get units() {
    const { annotation, context } = this.run.sourcePoints;
    return annotation?.shape[1] ?? context?.shape[0] ?? 0;
  }

  /** The cell that is told: the chosen one; once all is written, else the strongest of its row. */
  get place() {
    const { link: { pin }, run: { target, whole } } = this;
    if (pin.target >= 0 && pin.source >= 0) return { ...pin, chosen: true };
    const row = whole ? (target[pin.target] ?? target.at(-1)) : null;
    return row?.attention ? { target: target.indexOf(row), source: strongestOf(row.attention), chosen: false } : { ...pin, chosen: true };
  }

  draw() {
    const { run } = this;
    const plain = this.score in WAITING;
    const { target, source, chosen } = plain ? { target: -1, source: -1, chosen: true } : this.place;
    const there = plain ? Boolean(run.sourcePoints.context) : Boolean(run.target[target] && source >= 0);
    const key = [target, source, chosen, there, this.unit, run.whole];
    if (this.seen === run.source && this.key === key.join()) return;
    Object.assign(this, { seen: run.source, key: key.join() });
    const focused = document.activeElement === this.unitField;
    this.hint.textContent = there ? t("the strongest of this row") : this.waiting;
    this.hint.hidden = there && chosen;
    this.body.hidden = !there;
    if (this.body.hidden) return;
    this.body.replaceChildren(...(plain ? this.fixed() : this.cell(target, source)));
    if (focused) this.unitField.focus();
  }

  /** The three parts for one cell. */
  cell(i, j) {
    const { run } = this;
    const token = run.target[i];
    const asked = make("p", { class: "asked" }, make("b", {}, token.label), ` ${t("looks at")} `, make("b", {}, run.source[j].label));
    return [asked, this.look(i, j), ...this.energies(i, j), ...this.weights(i, j), ...this.context(i, j)];
  }

  /** What is looked at: a state of the encoder, a cell of a picture. */
  looked(index) {
    return letter("h", this.annotation, index);
  }

  look(i, j) {
    const { forced } = this.run.target[i];
    const here = forced === j;
    const button = make("button", { class: "button", type: "button" }, here ? t("let it look by itself") : t("look here"));
    button.addEventListener("click", () => (here ? this.onRelease(i) : this.onForce(i, j)));
    return button;
  }

  energies(i, j) {
    const { score, run } = this;
    const told = run.target[i].points["attention.energy"]?.[j];
    const e = () => letter("attention", "e", "ij");
    const formula = {
      additive: [letter("x", "v"), sign("·"), "tanh(", letter("query", "W s", "i−1"), sign("+"), letter("key", `U ${this.annotation}`, "j"), ")"],
      general: [letter("query", "W s", "i−1"), sign("·"), this.looked("j")],
      dot: [letter("h", "s", "i−1"), sign("·"), this.looked("j")],
    }[score];
    const parts = [make("h3", {}, t("energy: how well they fit")), make("p", { class: "formula-row", role: "math" }, e(), sign("="), ...formula)];
    const found = energy(run, i, j, score);
    if (!found) return [...parts, line(e(), sign("="), number(told), make("small", { class: "quiet" }, t("the state before the first step is not among the points")))];
    const { first, rest, others } = largest(found.terms, TERMS);
    const heads = score === "additive" ? [letter("x", "v", "k"), make("span", {}, "tanh(", letter("query", "q"), "+", letter("key", "u"), ")")] : [score === "dot" ? letter("h", "s", "k") : letter("query", "q", "k"), this.looked("k")];
    const rows = first.map(({ k, one, two, value }) => ({ cells: [make("span", { class: "num quiet" }, String(k)), number(one), number(two), number(value)] }));
    if (others) rows.push({ cells: [make("span", { class: "quiet" }, t("{n} others", { n: others })), "", "", number(rest)] });
    rows.push({ cells: [e(), "", "", make("b", {}, number(found.sum))] });
    return [...parts, table([t("unit"), ...heads, t("product")], rows), this.agree([found.sum], [told])];
  }

  weights(i, j) {
    const { run } = this;
    const token = run.target[i];
    const energies = token.points["attention.energy"];
    if (!energies) return [];
    const own = softmax(energies);
    const order = own.weights.map((_, k) => k).sort((a, b) => own.weights[b] - own.weights[a]);
    const shown = order.slice(0, POSITIONS);
    if (!shown.includes(j)) shown.splice(POSITIONS - 1, 1, j);
    const rows = shown.map((k) => ({
      current: k === j,
      cells: [make("span", { class: "piece" }, run.source[k].label), number(energies[k]), number(own.raised[k]), number(own.weights[k])],
    }));
    const others = order.length - shown.length;
    const sumOf = (list) => order.filter((k) => !shown.includes(k)).reduce((sum, k) => sum + list[k], 0);
    if (others > 0) rows.push({ cells: [make("span", { class: "quiet" }, t("{n} others", { n: others })), "", number(sumOf(own.raised)), number(sumOf(own.weights))] });
    rows.push({ cells: [make("span", { class: "quiet" }, t("sum")), "", number(own.sum), number(1)] });
    const parts = [
      make("h3", {}, t("softmax: weights that sum to 1")),
      make("p", { class: "formula-row", role: "math" }, letter("attention", "α", "ij"), sign("="), "exp(", letter("attention", "e", "ij"), sign("−"), "max", ") / Σ"),
      table([t("place read"), letter("attention", "e"), "exp(e − max)", letter("attention", "α")], rows),
    ];
    if (token.forced === null) return [...parts, this.agree(own.weights, token.attention), ...this.drawn(token)];
    const where = make("b", {}, run.source[token.forced].label);
    return [...parts, make("p", { class: "note forced-note" }, t("That is what it would do. You made it look at one word only, with weight 1:"), " ", where)];
  }

  /** A network that looks at one place only: which, out of these weights. */
  drawn({ looked }) {
    return looked === null || looked === undefined ? [] : [make("p", { class: "note" }, t("one place only: {place}", { place: this.run.source[looked].label }))];
  }

  context(i, j) {
    const { run } = this;
    const told = run.target[i].points.context;
    const unit = this.shownUnit(told);
    const found = contextUnit(run, i, unit);
    if (!found) return [];
    const { first, rest, others } = largest(found.terms, TERMS);
    const rows = first.map(({ k, one, two, value }) => ({
      current: k === j,
      cells: [make("span", { class: "piece" }, run.source[k].label), number(one), number(two), number(value)],
    }));
    if (others) rows.push({ cells: [make("span", { class: "quiet" }, t("{n} others", { n: others })), "", "", number(rest)] });
    const gate = run.target[i].points.gate?.[0];
    const gated = gate === undefined ? [] : [letter("value", "β", "i"), sign("·")];
    if (gated.length) rows.push({ cells: [make("span", {}, "Σ · ", letter("value", "β", "i")), number(found.sum), number(gate), number(gate * found.sum)] });
    const sum = gated.length ? gate * found.sum : found.sum;
    rows.push({ cells: [letter("value", "c", "ik"), "", "", make("b", {}, number(sum))] });
    return [
      make("h3", {}, t("context: the weighted sum")),
      make("p", { class: "formula-row", role: "group", "aria-label": t("context: the weighted sum") }, letter("value", "c", "ik"), sign("="), ...gated, make("span", {}, "Σ", make("sub", {}, "j")), letter("attention", "α", "ij"), sign("·"), this.looked("jk"),
        make("span", { class: "pick" }, t("unit"), " ", letter("x", "k"), " ", this.unitField)),
      table([t("place read"), letter("attention", "α"), this.looked("jk"), t("product")], rows),
      ...(told ? [this.agree([sum], [told[unit]])] : []),
    ];
  }

  /** The chosen unit, or the one with the largest value. */
  shownUnit(values) {
    let unit = this.unit;
    if (unit < 0 && values) unit = values.reduce((best, value, k) => (Math.abs(value) > Math.abs(values[best]) ? k : best), 0);
    this.unitField.max = String(this.units - 1);
    this.unitField.value = String(Math.max(0, unit));
    return Math.max(0, unit);
  }

  /** The plain network: one vector, whatever the step. */
  fixed() {
    const values = this.run.sourcePoints.context?.data;
    if (!values) return [];
    const unit = this.shownUnit(values);
    const sorted = Array.from(values, (value, k) => ({ k, value })).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    return [
      make("p", { class: "note" }, t("Everything the decoder will ever know of the sentence are these {n} numbers, the same at every step.", { n: values.length })),
      make("p", { class: "formula-row", role: "group", "aria-label": t("unit") }, letter("value", "C", "k"), sign("="), number(values[unit]), make("span", { class: "pick" }, t("unit"), " ", letter("x", "k"), " ", this.unitField)),
      table([t("unit"), letter("value", "C", "k")], sorted.slice(0, TERMS).map(({ k, value }) => ({ current: k === unit, cells: [make("span", { class: "num quiet" }, String(k)), number(value)] }))),
    ];
  }

  /** Do our numbers and the network's agree? */
  agree(own, told) {
    if (told === null || told === undefined || told[0] === undefined) return "";
    const size = Math.max(1, ...Array.from(told, Math.abs));
    const gap = apart(own, told);
    const good = gap <= ALIKE * size;
    const text = good ? t("the network has the same, to {gap}", { gap: gap === 0 ? "0" : gap.toExponential(0).replace("e-", "e−") }) : t("the network has {value}: {gap} apart", { value: short(told[0]), gap: short(gap) });
    return make("p", { class: good ? "agree" : "agree not" }, text);
  }
}

