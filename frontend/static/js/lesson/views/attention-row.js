/**
 * One look of a decoder, in numbers: the energy of every place that was read, what the softmax makes
 * of them, and one unit of the context. The energies are the network's; the reader may change each of
 * them, and the temperature that they are divided by before the softmax.
 *
 * Options: checkpoint; text; word: the number of the written word, from 0; temperature; energies: {place:
 * the reader's own}; unit: of the context (-1: the largest); terms: the place whose energy is taken
 * apart (-1: that of the greatest weight, null: none).
 * Values for exercises: temperature, largest (weight), place (of it, from 0), above (weights above 0.1),
 * entropy (bits), context (the unit that is shown), moved (how far that is from the network's own),
 * changed (energies that are the reader's).
 */

import { attentionRamp, inkOn, onRestyle } from "../../color.js";
import { energy, largest, rowOf, softmax, strongestOf } from "../../decoder/arithmetic.js";
import { Link } from "../../decoder/link.js";
import { TokenStrip } from "../../decoder/token-strip.js";
import { inWords } from "../../problem.js";
import { Translation } from "../../translate/translation.js";
import { full, make, percent, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 350; // ms after typing
const POINTS = ["annotation", "attention", "attention.key", "attention.v", "attention.query", "attention.energy", "context"];
const TERMS = 4; // of an energy
const [COOLEST, HOTTEST] = [0.1, 5];

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  return new AttentionRow(stage, { text: about.prompt ?? "", word: 0, temperature: 1, energies: {}, unit: -1, terms: null, ...options }, figure, about);
}

const letter = (name, text, index = "") => make("i", { class: `q q-${name}` }, text, make("sub", {}, index));
const numeric = (value) => make("span", { class: "num", title: full(value) }, short(value));

class AttentionRow {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, word: options.word, temperature: options.temperature, own: { ...options.energies }, unit: options.unit, terms: options.terms });
    const run = (this.run = new Translation(about));
    this.link = new Link();
    const field = make("input", { class: "field translation-text", type: "text", value: options.text, maxlength: "200", spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    const words = make("div", { class: "tokens" });
    this.words = new TokenStrip(words, "target", { run, link: this.link, label: t("target words"), onChoose: (k) => this.choose(k) });
    this.slider = make("input", { type: "range", min: String(Math.log(COOLEST)), max: String(Math.log(HOTTEST)), step: "any", "aria-label": t("temperature") });
    this.told = make("output", { class: "num" });
    this.back = make("button", { class: "button", type: "button" }, t("the network's own"));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.body = make("div", { class: "attention-scroll" });
    this.said = make("p", { class: "note", role: "status" });
    this.taken = make("div", { class: "attention-terms" });
    const title = labLink(about);
    stage.replaceChildren(
      make("div", { class: "translation-head" }, field, title), this.problem, words,
      make("div", { class: "attention-controls" }, make("label", {}, `${t("temperature")} `, letter("x", "T"), " ", this.slider, " ", this.told), this.back),
      make("div", { class: "attention-both" }, make("div", { class: "attention-main" }, this.body, this.said), this.taken),
    );
    whenTyped(field, REST, () => {
      if (!field.value.trim()) return;
      Object.assign(this, { word: 0, own: {} });
      figure.keep({ text: field.value, word: 0, energies: {} });
      this.run.start({ text: field.value, points: POINTS });
    });
    this.slider.addEventListener("input", () => {
      this.temperature = Math.round(100 * Math.exp(Number(this.slider.value))) / 100;
      if (Math.abs(Math.log(this.temperature)) < 0.06) this.temperature = 1; // the network's own is easy to come back to
      figure.keep({ temperature: this.temperature });
      this.fill();
    });
    this.back.addEventListener("click", () => {
      Object.assign(this, { own: {}, temperature: 1 });
      figure.keep({ energies: {}, temperature: 1 });
      this.draw();
    });
    run.addEventListener("done", () => this.draw());
    run.addEventListener("problem", () => (this.problem.textContent = run.error ? inWords(run.error).filter(Boolean).join(" ") : ""));
    onRestyle(() => run.whole && this.fill());
    run.start({ text: options.text, points: POINTS });
  }

  choose(k) {
    Object.assign(this, { word: k, own: {} });
    this.figure.keep({ word: k, energies: {} });
    this.draw();
  }

  /** The energies: the network's, and the reader's in their places. */
  get energies() {
    const told = Array.from(this.run.target[this.word].points["attention.energy"]);
    for (const [j, value] of Object.entries(this.own)) if (j < told.length) told[j] = value;
    return told;
  }

  get weights() {
    return softmax(this.energies.map((e) => e / this.temperature));
  }

  /** The table anew: for another word. */
  draw() {
    const { run } = this;
    if (!run.whole) return;
    this.word = Math.max(0, Math.min(this.word, run.target.length - 1));
    this.words.build();
    this.link.choose(this.word, -1);
    this.words.paint();
    const context = run.target[this.word].points.context;
    this.k = this.unit >= 0 && this.unit < context.length ? this.unit : context.reduce((best, value, k) => (Math.abs(value) > Math.abs(context[best]) ? k : best), 0);
    const energies = this.energies;
    this.rows = run.source.map((place, j) => {
      const field = make("input", { class: "field num", type: "number", step: "0.5", value: energies[j].toFixed(2), "aria-label": `${t("energy")}: ${place.label}` });
      field.addEventListener("input", () => {
        const value = Number(field.value);
        if (field.value.trim() === "" || !Number.isFinite(value)) return;
        this.own[j] = Math.max(-99, Math.min(99, value));
        this.figure.keep({ energies: { ...this.own } });
        this.fill();
      });
      const bar = make("i", {});
      const [raised, weight, product] = ["td", "td", "td"].map((tag) => make(tag, { class: "num" }));
      const h = rowOf(run.sourcePoints.annotation, j)[this.k];
      const row = make("tr", {}, make("th", { scope: "row" }, place.label), make("td", {}, field), raised, make("td", { class: "bar-cell" }, make("span", { class: "track" }, bar)), weight, make("td", {}, numeric(h)), product);
      return { row, bar, raised, weight, product, field, h };
    });
    this.sums = ["td", "td", "td"].map((tag) => make(tag, { class: "num" }));
    const th = (...nodes) => make("th", { scope: "col" }, ...nodes);
    const foot = make("tr", {}, make("th", { scope: "row" }, t("sum")), make("td", {}), this.sums[0], make("td", {}), this.sums[1], make("td", {}), this.sums[2]);
    this.body.replaceChildren(make("table", { class: "attention-row" },
      make("caption", { class: "out-of-sight" }, t("energies, weights and one unit of the context")),
      make("thead", {}, make("tr", {}, th(t("read")), th(letter("attention", "e", "j")), th("exp((", letter("attention", "e", "j"), " − max) / ", letter("x", "T"), ")"), make("td", {}), th(letter("attention", "α", "j")), th(letter("h", "h", `j,${this.k}`)), th(letter("attention", "α", "j"), " · ", letter("h", "h", `j,${this.k}`)))),
      make("tbody", {}, ...this.rows.map(({ row }) => row)), make("tfoot", {}, foot)));
    this.apart();
    this.fill();
  }

  /** The numbers that depend on energies and temperature. */
  fill() {
    const { run, word, temperature } = this;
    const { raised, weights, sum } = this.weights;
    const { css } = attentionRamp();
    this.slider.value = String(Math.log(temperature));
    this.slider.setAttribute("aria-valuetext", String(temperature));
    this.told.textContent = temperature.toFixed(2);
    const told = run.target[word].points["attention.energy"];
    this.rows.forEach((one, j) => {
      one.raised.textContent = short(raised[j]);
      one.weight.textContent = weights[j] < 0.0005 ? "<0.001" : weights[j].toFixed(3);
      one.product.textContent = short(weights[j] * one.h);
      one.bar.style.width = `${100 * weights[j]}%`;
      const fill = css[Math.round(255 * weights[j])];
      Object.assign(one.weight.style, { background: fill, color: inkOn(fill) });
      one.row.classList.toggle("changed", j in this.own);
      if (document.activeElement !== one.field) one.field.value = (this.own[j] ?? told[j]).toFixed(2);
    });
    this.context = weights.reduce((all, weight, j) => all + weight * this.rows[j].h, 0);
    this.sums[0].textContent = short(sum);
    this.sums[1].textContent = "1";
    this.sums[2].textContent = short(this.context);
    const network = run.target[word].points.context[this.k];
    const touched = temperature !== 1 || Object.keys(this.own).length > 0;
    this.back.hidden = !touched;
    const best = strongestOf(weights);
    this.said.textContent = touched
      ? t("Unit {k} of the context is now {value}; the network's own is {own}.", { k: this.k, value: short(this.context), own: short(network) })
      : t("Writing “{word}” it looks most at “{place}”: {weight}. Unit {k} of the context is {value}; the network has {own}.", { word: run.target[word].label, place: run.source[best].label, weight: percent(weights[best]), k: this.k, value: short(this.context), own: short(network) });
    this.figure.changed();
  }

  /** One energy, taken apart into its terms. */
  apart() {
    this.taken.replaceChildren();
    if (this.terms === null) return;
    const { run, word } = this;
    const j = this.terms >= 0 && this.terms < run.source.length ? this.terms : strongestOf(run.target[word].attention);
    const found = energy(run, word, j, "additive");
    if (!found) return;
    const { first, rest, others } = largest(found.terms, TERMS);
    const cells = (...nodes) => make("tr", {}, ...nodes.map((node) => make("td", {}, node)));
    const head = make("tr", {}, ...[t("unit"), letter("x", "v", "k"), make("span", {}, "tanh(", letter("query", "q", "k"), " + ", letter("key", "u", "j,k"), ")"), t("product")].map((node) => make("th", { scope: "col" }, node)));
    this.taken.append(
      make("p", { class: "asked" }, t("Where the energy of “{place}” comes from", { place: run.source[j].label })),
      make("table", { class: "terms" }, make("thead", {}, head), make("tbody", {},
        ...first.map(({ k, one, two, value }) => cells(make("span", { class: "num quiet" }, String(k)), numeric(one), numeric(two), numeric(value))),
        cells(make("span", { class: "quiet" }, t("{n} others", { n: others })), "", "", numeric(rest)),
        cells(letter("attention", "e", "j"), "", "", make("b", {}, numeric(found.sum))))),
    );
  }

  values() {
    const { run, temperature } = this;
    if (!this.rows || !run.whole || !run.target[this.word]) return { temperature };
    const { weights } = this.weights;
    const place = strongestOf(weights);
    const entropy = weights.reduce((sum, weight) => sum - (weight > 0 ? weight * Math.log2(weight) : 0), 0);
    const own = run.target[this.word].points.context[this.k];
    return { temperature, place, largest: weights[place], above: weights.filter((weight) => weight > 0.1).length, entropy, context: this.context, moved: Math.abs(this.context - own), changed: Object.keys(this.own).length };
  }
}
