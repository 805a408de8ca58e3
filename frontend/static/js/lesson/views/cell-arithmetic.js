/**
 * One unit of an LSTM or a GRU at one step, drawn as the road that its state goes along, with the
 * numbers of the checkpoint; over it the text, and under each character the share of the state of
 * then that is still there: the product of the gates that keep since.
 *
 * Options: checkpoint; text; layer (-1: the last); unit; at: the step (-1: the last).
 * Values for exercises: every quantity of the unit at the step by its letter; `before`: the state
 * that the step started from; `half`: how many steps back more than half is still there; at, unit,
 * layer.
 */

import { trace } from "../../api.js";
import { decode } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { equations } from "../../equations.js";
import { inOneLine } from "../../problem.js";
import { parseName } from "../../trace-store.js";
import { make, mark, percent, short, spoken, t } from "../../words.js";
import { CellDrawing } from "../cell-drawing.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const NARROW = 560; // css px, without the page's scale: below it the drawing is folded
const REST = 300; // ms after typing before the text is read
const LONGEST = 120; // characters
const NEWLINE = "↵"; // how the field of one line writes it

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new CellArithmetic(stage, { text: about.prompt ?? "", layer: -1, unit: 0, at: -1, ...options }, figure, about);
  await view.read();
  return view;
}

class CellArithmetic {
  constructor(stage, options, figure, about) {
    Object.assign(this, { stage, figure, about, state: { ...options } });
    const points = about.points.map((point) => ({ ...point, ...parseName(point.name) })).filter((point) => !point.reverse);
    this.layers = Math.max(...points.map((point) => point.layer)) + 1;
    this.units = points[0].shape.at(-1);
    this.letters = points.filter((point) => point.layer === 0).map((point) => point.letter);
    this.cell = this.letters.includes("c") ? "lstm" : this.letters.includes("z") ? "gru" : null;
    if (!this.cell) throw new Error(t("this cell has no gates"));
    if (!(this.state.layer >= 0 && this.state.layer < this.layers)) this.state.layer = this.layers - 1;
    this.build(options);
    new ResizeObserver(() => this.lay()).observe(this.stage);
    onRestyle(() => this.lay());
  }

  build(options) {
    const { about, state } = this;
    this.field = make("input", { class: "field num text", type: "text", value: visible(state.text), maxLength: LONGEST, spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(this.field, REST, () => this.retype(this.field.value.replaceAll(NEWLINE, "\n")));
    this.unitField = make("input", { class: "field num", type: "number", min: "0", max: String(this.units - 1), value: String(state.unit), "aria-label": t("unit") });
    this.unitField.addEventListener("change", () => this.set({ unit: Math.max(0, Math.min(this.units - 1, Math.round(Number(this.unitField.value)) || 0)) }));
    const layer = make("select", { class: "plain", "aria-label": t("layer") }, ...Array.from({ length: this.layers }, (_, k) => make("option", { value: String(k) }, t("layer {n}", { n: k }))));
    layer.value = String(state.layer);
    layer.addEventListener("change", () => this.set({ layer: Number(layer.value) }));
    this.strip = make("div", { class: "ca-strip num", tabindex: "0", role: "slider", "aria-label": t("current character") });
    this.strip.addEventListener("click", (event) => {
      const one = event.target.closest("[data-t]");
      if (one) this.set({ at: Number(one.dataset.t) });
    });
    this.strip.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: this.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.set({ at: Math.max(0, Math.min(this.length - 1, to)) });
    });
    const step = (name, by) => {
      const button = make("button", { class: "plain", type: "button", "aria-label": t(name) }, by < 0 ? "←" : "→");
      button.addEventListener("click", () => this.set({ at: Math.max(0, Math.min(this.length - 1, this.at + by)) }));
      return button;
    };
    this.problem = make("p", { class: "broken", role: "alert" });
    this.stripNote = make("p", { class: "quiet small" });
    this.host = make("div", { class: "ca-host" });
    this.rows = make("div", { class: "ca-rows", role: "status" });
    const lab = labLink(about);
    const pick = make("span", { class: "ca-pick quiet" }, `${t("unit")} `, this.unitField, this.layers > 1 ? layer : "", step("step back", -1), step("step on", 1));
    this.stage.replaceChildren(make("div", { class: "ca-head" }, this.field, pick, lab), this.problem, this.strip, this.stripNote, this.host, this.rows);
  }

  retype(text) {
    if (!text || text === this.state.text) return;
    this.state.text = text;
    this.state.at = -1;
    this.figure.keep({ text, at: -1 });
    this.read();
  }

  set(change) {
    const read = change.layer !== undefined && change.layer !== this.state.layer;
    Object.assign(this.state, change);
    this.figure.keep(change);
    this.unitField.value = String(this.state.unit);
    if (read) this.read();
    else this.draw();
  }

  /** Read the text; only the points of the layer that is looked at are sent. */
  async read() {
    const { text, layer } = this.state;
    this.aborter?.abort();
    this.aborter = new AbortController();
    try {
      const found = await trace(this.about.id, { text, points: this.letters.map((letter) => `rnn.${layer}.${letter}`) }, this.aborter.signal);
      this.tokens = found.tokens;
      this.points = {};
      for (const [name, { range, data }] of Object.entries(found.points)) {
        const values = decode(data);
        this.points[name.at(-1)] = { range, at: (step, unit) => values[step * this.units + unit] };
      }
      this.problem.textContent = "";
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.problem.textContent = inOneLine(error);
    }
  }

  get length() {
    return this.tokens?.length ?? 0;
  }

  get at() {
    const { at } = this.state;
    return at < 0 ? this.length - 1 : Math.min(at, this.length - 1);
  }

  get unit() {
    return Math.max(0, Math.min(this.units - 1, this.state.unit));
  }

  /** Shares of the state after each earlier step that are still there at the step looked at. */
  shares() {
    const keeper = this.points[this.cell === "lstm" ? "f" : "z"];
    const shares = new Array(this.length).fill(0);
    let share = 1;
    for (let step = this.at; step >= 0; step--) {
      shares[step] = share;
      share *= keeper.at(step, this.unit);
    }
    return shares;
  }

  values() {
    if (!this.points) return {};
    const { at, unit } = this;
    const found = { at, unit, layer: this.state.layer };
    for (const [letter, point] of Object.entries(this.points)) found[letter] = point.at(at, unit);
    const road = this.points[this.cell === "lstm" ? "c" : "h"];
    found.before = at ? road.at(at - 1, unit) : 0;
    const shares = this.shares();
    found.half = at - shares.findIndex((share) => share > 0.5);
    return found;
  }

  /** The drawing for the width that there is. */
  lay() {
    const scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1;
    const narrow = this.stage.clientWidth / scale < NARROW;
    if (this.drawing && this.narrow === narrow) return;
    this.narrow = narrow;
    this.drawing = new CellDrawing(this.cell, narrow);
    this.host.replaceChildren(this.drawing.node);
    this.host.classList.toggle("narrow", narrow);
    this.draw();
  }

  draw() {
    if (!this.points) return;
    if (!this.drawing) return this.lay();
    const values = this.values();
    const now = this.cell === "lstm" ? { ...values, now: values.c, tanh: Math.tanh(values.c) } : { ...values, now: values.h };
    this.drawing.show(now);
    this.drawStrip(values);
    const rows = equations(this.points, values.at, values.unit).filter((row) => row.parts.length > 1);
    this.rows.replaceChildren(...rows.map((row) => make("p", {}, ...inNumbers(row))));
    this.drawing.node.setAttribute("aria-label", `${t("unit {unit} of layer {layer}", { unit: values.unit, layer: values.layer })}, ${t("step {n}", { n: values.at })}: ${this.rows.textContent}`);
    this.figure.changed();
  }

  drawStrip({ at, half }) {
    const shares = this.shares();
    const letter = this.cell === "lstm" ? "c" : "h";
    this.strip.replaceChildren(
      ...this.tokens.map((token, step) => {
        const bar = make("i", {});
        bar.style.height = `${100 * shares[step]}%`;
        bar.style.background = `var(--q-${letter})`;
        const one = make("span", { class: step === at ? "ca-here" : step > at ? "later" : "", "data-t": String(step), title: step > at ? spoken(token) : `${spoken(token)}: ${percent(shares[step])}` }, make("span", { class: "ca-mark" }, mark(token)), make("span", { class: "ca-bar" }, bar));
        return one;
      }),
    );
    for (const [name, value] of [["min", 0], ["max", this.length - 1], ["now", at], ["text", `${t("step {n}", { n: at })}, ${spoken(this.tokens[at])}`]]) this.strip.setAttribute(`aria-value${name}`, String(value));
    const long = half > 0 ? ` ${t("more than half is left of the last {n} steps", { n: half })}.` : "";
    this.stripNote.textContent = t(letter === "c" ? "bars: share of c" : "bars: share of h") + long;
  }
}

/** A text as a field of one line can hold it. */
function visible(text) {
  return text.replaceAll("\n", NEWLINE);
}

/** An equation and its numbers, each in its colour. */
function inNumbers(row) {
  const symbols = [];
  const numbers = [];
  row.parts.forEach((part, k) => {
    if (typeof part === "string") {
      symbols.push(` ${part} `);
      numbers.push(` ${k === 1 && numbers.length ? "=" : part} `);
      return;
    }
    const [open, close] = (part.wrap ?? "#").split("#");
    const letter = make("span", { class: `q q-${part.letter}` }, part.symbol);
    if (part.index) letter.append(make("sub", {}, part.index));
    symbols.push(open, letter, close);
    const value = short(part.value);
    numbers.push(make("span", { class: `num q-${part.letter}` }, k && part.value < 0 ? `(${value})` : value));
  });
  return [make("span", {}, ...symbols), make("span", {}, ...numbers)];
}
