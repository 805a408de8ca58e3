/**
 * What a character model learns from: a text as numbers, one-hot columns, the same text one step
 * later as targets, and the loss at every step.
 *
 * Options: checkpoint, text, at: the chosen step.
 * Values for exercises: `mean` loss in nats, `perplexity`, and of the chosen step `probability` of
 * its target and `loss`; `number` of its input; `vocabulary`: how many symbols there are.
 */

import { trace } from "../../api.js";
import { decode } from "../../arrays.js";
import { color, hue, inkOn, onRestyle, sequential } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { sharpen } from "../../raster.js";
import { make, mark, percent, short, spoken, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 300; // ms after typing
const TALL = 136; // css px of a one-hot column
const DEEPEST = 200; // of 255

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Targets(stage, { text: about.prompt ?? "", at: 0, ...options }, figure, about);
  await view.read(options.text ?? about.prompt, false);
  return view;
}

class Targets {
  constructor(stage, { text, at }, figure, about) {
    Object.assign(this, { figure, id: about.id, at, vocabulary: about.config.vocab_size });
    this.field = make("input", { class: "field num text", type: "text", value: text, spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(this.field, REST, () => this.read(this.field.value));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.table = make("div", { class: "targets-scroll" });
    this.sum = make("p", { class: "targets-sum num", role: "status" });
    stage.replaceChildren(
      make("div", { class: "unit-head" }, this.field, labLink(about)),
      this.problem, this.table, this.sum,
    );
    onRestyle(() => this.draw());
  }

  async read(text, keep = true) {
    if (keep) this.figure.keep({ text });
    if (!text) return;
    this.asked = text;
    try {
      const found = await trace(this.id, { text, points: [] });
      if (this.asked !== text) return; // the reader has gone on
      this.problem.textContent = "";
      this.tokens = found.tokens;
      this.ids = found.token_ids;
      this.given = decode(found.probability);
      this.at = Math.min(this.at, Math.max(0, this.tokens.length - 2));
      this.draw();
      this.figure.changed();
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  get losses() {
    return Array.from(this.given.slice(1), (share) => -Math.log(share));
  }

  get mean() {
    const { losses } = this;
    return losses.reduce((a, b) => a + b, 0) / losses.length;
  }

  draw() {
    if (!this.tokens) return;
    const { tokens, ids, given, losses } = this;
    const steps = tokens.length - 1;
    const green = sequential(hue("y")).css;
    const red = sequential(color("--q-f")).css;
    const across = (make_) => Array.from({ length: steps }, (_, k) => make_(k));
    const tinted = (text, css) => {
      const cell = make("td", { class: "num" }, text);
      Object.assign(cell.style, { background: css, color: inkOn(css) });
      return cell;
    };
    const input = across((k) => {
      const button = make("button", { type: "button", class: "targets-input num", "aria-label": t("step {n}: {a}, then {b}", { n: k, a: spoken(tokens[k]), b: spoken(tokens[k + 1]) }) }, mark(tokens[k]));
      button.addEventListener("click", () => this.go(k));
      return make("td", {}, button);
    });
    const rows = [
      [t("input"), ...input],
      [t("its number"), ...across((k) => make("td", { class: "num quiet" }, String(ids[k])))],
      [t("one-hot, {n} places", { n: this.vocabulary }), ...across((k) => make("td", {}, this.column(ids[k])))],
      [t("target"), ...across((k) => make("td", { class: "num targets-target" }, mark(tokens[k + 1])))],
      [t("its probability"), ...across((k) => tinted(percent(given[k + 1]), green[Math.round(DEEPEST * given[k + 1])]))],
      [t("loss, −ln of it"), ...across((k) => tinted(losses[k].toFixed(2), red[Math.round(DEEPEST * Math.min(1, losses[k] / Math.log(this.vocabulary)))]))],
    ];
    this.table.replaceChildren(make("table", { class: "targets" }, make("tbody", {}, ...rows.map(([name, ...cells]) => {
      cells[this.at]?.classList.add("here");
      return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
    }))));
    this.sum.textContent = steps ? t("mean loss {mean} nats, perplexity {perplexity}, over {n} steps", { mean: short(this.mean), perplexity: short(Math.exp(this.mean)), n: steps }) : t("A text of one character has no target.");
  }

  /** A column of zeros with a one at its place. */
  column(id) {
    const canvas = make("canvas", { class: "targets-hot", role: "img", "aria-label": t("a one at place {n}, zeros elsewhere", { n: id }) });
    const scale = parseFloat(color("--scale")) || 1;
    const [width, height] = [14 * scale, TALL * scale];
    const { context, ratio } = sharpen(canvas, width, height);
    context.scale(ratio, ratio);
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const cell = height / this.vocabulary;
    const gap = cell > 4 ? 1 : 0;
    context.fillStyle = color("--rule");
    for (let k = 0; k < this.vocabulary; k++) context.fillRect(0, k * cell, width, cell - gap);
    context.fillStyle = color("--q-x");
    context.fillRect(0, id * cell, width, Math.max(2, cell - gap));
    return canvas;
  }

  go(at) {
    this.at = at;
    this.figure.keep({ at });
    this.draw();
    this.table.querySelectorAll("button")[at]?.focus();
  }

  values() {
    if (!this.tokens || this.tokens.length < 2) return {};
    const { at, ids, given, losses, mean, vocabulary } = this;
    return { mean, perplexity: Math.exp(mean), probability: given[at + 1], loss: losses[at], number: ids[at], vocabulary };
  }
}
