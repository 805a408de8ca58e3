/**
 * What the figures of networks that give labels have in common: a field whose text is read again as
 * it changes, examples to click, what went wrong, bars of labels, and maps of states over time.
 */

import { color, rampOf, sequential } from "../color.js";
import { Problem } from "../problem.js";
import { sharpen } from "../raster.js";
import { make, mark, percent, short, t } from "../words.js";
import { labLink } from "./checkpoint.js";

const REST = 250; // ms after typing before the text is read
const LIKELY = 8; // labels that get a bar where there are many
const ROW = 7; // css px of a unit in a map

/** A text field, its examples and its network; `ask(text, signal)` reads, `show(answer)` draws. */
export class Desk {
  constructor({ text, about, examples = about.examples ?? [], ask, show, onText }) {
    Object.assign(this, { ask, show, onText });
    this.field = make("input", { class: "field num text", type: "text", value: text, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": t("the text that is read") });
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.change(), REST);
    });
    const link = labLink(about);
    this.host = make("div", { class: "desk-problem", role: "alert", hidden: true });
    this.problem = new Problem(this.host, { onRetry: () => this.read() });
    this.problem.markUnknown = () => this.field.setAttribute("aria-invalid", "true");
    const tries = examples.map((one) => {
      const button = make("button", { class: "plain", type: "button" }, one);
      button.addEventListener("click", () => {
        this.field.value = one;
        this.change();
      });
      return button;
    });
    const row = tries.length ? [make("div", { class: "desk-examples" }, make("span", { class: "quiet" }, t("for example")), ...tries)] : [];
    this.element = make("div", { class: "reading-desk" }, make("div", { class: "desk-head" }, this.field, link), ...row, this.host);
  }

  change() {
    clearTimeout(this.timer);
    this.onText(this.field.value);
    return this.read();
  }

  async read() {
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    try {
      const answer = await this.ask(this.field.value, stop.signal);
      if (stop.signal.aborted) return;
      this.problem.clear();
      this.field.removeAttribute("aria-invalid");
      this.show(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!("code" in error)) throw error;
      this.problem.show(error);
    }
  }
}

/**
 * Bars of labels, the likeliest first; `all`: every label in its own order.
 * @param {string[]} labels @param {ArrayLike<number>} values  probabilities
 */
export function bars(labels, values, { all = false, names = (label) => label } = {}) {
  let order = labels.map((_, k) => k);
  if (!all) order = order.sort((a, b) => values[b] - values[a]).slice(0, LIKELY);
  const rows = order.map((k) => {
    const fill = make("i", {});
    fill.style.width = `${100 * values[k]}%`;
    return make("li", {}, make("span", { class: "bar-label" }, names(labels[k])), make("span", { class: "bar-track" }, fill), make("span", { class: "num", title: String(values[k]) }, percent(values[k])));
  });
  return make("ul", { class: "label-bars" }, ...rows);
}

/** The bar of a ramp with its ends written beside it. */
export function scale(ramp, low, high, name) {
  const bar = make("i", { class: "scale-bar" });
  bar.style.backgroundImage = `linear-gradient(90deg, ${Array.from({ length: 9 }, (_, k) => ramp.css[Math.round((k * 255) / 8)]).join(", ")})`;
  return make("span", { class: "label-scale" }, make("span", {}, name), make("span", { class: "num" }, low), bar, make("span", { class: "num" }, high));
}

/** The green ramp of probabilities. */
export function green() {
  return sequential(color("--q-y"));
}

/**
 * Where each word stands in a row, as wide as it is, or what stands above it.
 * @param {string[]} words @param {string[]} above @returns {{x: number, width: number}[]}
 */
export function columnsOf(words, above = []) {
  const scaled = parseFloat(color("--scale")) || 1;
  const context = document.createElement("canvas").getContext("2d");
  const letters = words.every((word) => word.length === 1) && !above.length;
  let x = 0;
  return words.map((word, k) => {
    context.font = `${16 * scaled}px ${getComputedStyle(document.body).fontFamily}`;
    const own = context.measureText(word).width;
    context.font = `600 ${13 * scaled}px monospace`;
    const wide = Math.max(own, context.measureText(above[k] ?? "").width, 34 * scaled) + 20 * scaled;
    const width = letters ? 24 * scaled : Math.ceil(wide);
    x += width;
    return { x: x - width, width };
  });
}

/**
 * A point over time, a row a unit, each column where the words or characters are.
 * @param {{name, range, values, shape: number[]}} point @param {{x: number, width: number}[]} columns
 * @param {string[]} tokens  written above the columns, where nothing else does that
 */
export function stateMap(point, columns, tokens = []) {
  const [steps, units] = point.shape;
  const ramp = rampOf(point.range, point.name.at(-1));
  const last = columns.at(-1);
  const scaled = parseFloat(color("--scale")) || 1;
  const size = Math.max(2, Math.round(ROW * Math.min(1, 48 / units) * scaled));
  const top = tokens.length ? 22 * scaled : 0;
  const canvas = make("canvas", { class: "state-map", role: "img", "aria-label": t("{name}: {units} units over {steps} steps", { name: point.name, units, steps }) });
  const { context, ratio } = sharpen(canvas, last.x + last.width, top + units * size);
  context.scale(ratio, ratio);
  Object.assign(canvas.style, { width: `${last.x + last.width}px`, height: `${top + units * size}px` });
  Object.assign(context, { textAlign: "center", fillStyle: color("--ink"), font: `${14 * scaled}px ${color("--mono").replaceAll('"', "")}` });
  tokens.forEach((token, k) => context.fillText(mark(token), columns[k].x + columns[k].width / 2, 15 * scaled));
  const unit = point.range === "unit" || point.range === "probability";
  const limit = point.range === "signed" || unit ? 1 : Math.max(...point.values.map(Math.abs)) || 1;
  for (let s = 0; s < steps; s++) {
    for (let u = 0; u < units; u++) {
      const share = point.values[s * units + u] / limit;
      context.fillStyle = ramp.css[Math.max(0, Math.min(255, Math.round(unit ? 255 * share : 127.5 * (share + 1))))];
      context.fillRect(columns[s].x, top + u * size, columns[s].width - 1, size);
    }
  }
  canvas.addEventListener("pointermove", (event) => {
    const s = columns.findIndex(({ x, width }) => event.offsetX >= x && event.offsetX < x + width);
    const u = Math.floor((event.offsetY - top) / size);
    if (s < 0 || u < 0 || u >= units) return;
    told.textContent = t("unit {unit}, step {step}: {value}", { unit: u, step: s, value: short(point.values[s * units + u]) });
  });
  const told = make("output", { class: "num quiet" });
  const legend = scale(ramp, unit ? "0" : plain(-limit), plain(limit), "");
  return make("section", { class: "state-section" }, make("header", {}, make("b", { class: "num" }, point.name), legend, told), canvas);
}

/** Three digits, none of them an idle zero. */
function plain(value) {
  return short(value).replace(/\.0+$/, "");
}
