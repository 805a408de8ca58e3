/**
 * A decoder at work: at each step the likeliest tokens, and the one that was written. The reader may
 * have it write another, and see what it goes on with; or keep several beginnings (a beam).
 *
 * Options: checkpoint; text; prefix: numbers of tokens that are written first, whatever their
 * probability; beam: how many beginnings are kept, 1 to 8; controls: [text, beam].
 * Values for exercises: steps (tokens written), log_probability (of all of them, in nats), lowest
 * (the smallest probability of one that the network chose itself), given (tokens put in), beam, and
 * gained: the log probability of what a beam of several found less that of greedy decoding.
 */

import { BeamTree } from "../../decoder/beam-tree.js";
import { Link } from "../../decoder/link.js";
import { inWords } from "../../problem.js";
import { Translation } from "../../translate/translation.js";
import { make, mark, percent, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 350; // ms after typing
const ROWS = 4; // candidates of a step
const MOST = 8; // beginnings

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  return new Decoding(stage, { text: about.prompt ?? "", prefix: [], beam: 1, controls: ["text", "beam"], ...options }, figure, about);
}

/** A token as it stands in a cell; the signs of the beginning and the end in small. */
const face = (token) => (token.trim() ? token.trim() : mark(token));

class Decoding {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, text: options.text, prefix: options.prefix, beam: options.beam });
    this.run = new Translation(about);
    this.greedy = new Translation(about); // what a beam is held against
    const has = (name) => options.controls.includes(name);
    const head = make("div", { class: "decoding-head" });
    if (has("text")) head.append(this.textField());
    if (has("beam")) head.append(this.beamField());
    head.append(labLink(about));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.table = make("div", { class: "decoding-steps", role: "group", "aria-label": t("the likeliest tokens of each step") });
    this.said = make("p", { class: "decoding-said num", role: "status" });
    this.back = make("button", { class: "button", type: "button" }, t("let it choose by itself"));
    this.back.addEventListener("click", () => this.put([]));
    const tree = make("div", {});
    stage.replaceChildren(head, this.problem, this.table, make("div", { class: "decoding-foot" }, this.said, this.back), tree);
    if (has("beam")) {
      tree.hidden = this.beam < 2;
      this.tree = tree;
      this.drawing = new BeamTree(tree, { run: this.run, link: new Link(), onTake: (ids) => this.put(ids) });
    }
    for (const one of [this.run, this.greedy]) one.addEventListener("done", () => this.draw());
    this.run.addEventListener("problem", () => (this.problem.textContent = this.run.error ? inWords(this.run.error).filter(Boolean).join(" ") : ""));
    this.ask();
  }

  textField() {
    const field = make("input", { class: "field", type: "text", value: this.text, maxlength: "200", spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(field, REST, () => {
      if (!field.value.trim()) return;
      Object.assign(this, { text: field.value, prefix: [] });
      this.figure.keep({ text: this.text, prefix: [] });
      this.ask();
    });
    return field;
  }

  beamField() {
    const field = make("input", { class: "field num", type: "number", min: "1", max: String(MOST), value: String(this.beam) });
    field.addEventListener("change", () => {
      this.beam = Math.max(1, Math.min(MOST, Math.round(Number(field.value)) || 1));
      field.value = String(this.beam);
      this.figure.keep({ beam: this.beam });
      this.ask();
    });
    return make("label", {}, `${t("beginnings that are kept")} `, field);
  }

  /** Have it write these tokens first. @param {number[]} prefix */
  put(prefix) {
    this.prefix = prefix;
    this.figure.keep({ prefix });
    this.ask();
  }

  ask() {
    const { text, prefix, beam } = this;
    const options = { text, prefix, points: [] };
    if (this.tree) this.tree.hidden = beam < 2;
    this.run.start({ ...options, beam_size: beam }, { picks: prefix.length ? [prefix.length - 1] : [] });
    if (beam > 1) this.greedy.start({ ...options, beam_size: 1 });
  }

  draw() {
    const { run, prefix } = this;
    if (!run.whole) return;
    const focused = this.table.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    this.table.classList.toggle("characters", run.characters);
    this.table.replaceChildren(...run.target.map((token, k) => this.column(token, k)));
    if (focused) this.table.querySelector(`[data-place="${focused}"]`)?.focus({ preventScroll: true });
    const of = run.target.map(({ probability }) => short(probability));
    const product = of.length > 12 ? "" : ` = ln(${of.join(" · ")})`;
    this.said.textContent = `log p = ${short(this.logProbability(run))}${run.characters ? product : ""}`;
    const gained = this.gained;
    if (Number.isFinite(gained)) this.said.textContent += ` · ${t("one beginning: {value}", { value: short(this.logProbability(this.greedy)) })}`;
    this.back.hidden = !prefix.length;
    this.figure.changed();
  }

  /** A step: the likeliest tokens, the written one in front of the others. */
  column(token, k) {
    const shown = token.top.slice(0, ROWS);
    if (!shown.some(({ token_id }) => token_id === token.token_id)) shown.splice(ROWS - 1, 1, token);
    const buttons = shown.map((one) => {
      const stands = one.token_id === token.token_id;
      const fill = make("i", { "aria-hidden": "true" });
      fill.style.width = `${100 * one.probability}%`;
      const sign = /^<\/?s>$/.test(one.token);
      const button = make("button", {
        type: "button", "data-place": `${k}-${one.token_id}`, "aria-pressed": String(stands),
        "aria-label": `${t("step {n}", { n: k })}: ${sign ? t("end of the sentence") : face(one.token)}, ${percent(one.probability)}`,
      }, make("b", { class: sign ? "sign" : "" }, face(one.token)), make("span", { class: "num" }, percent(one.probability)), fill);
      button.addEventListener("click", () => this.put([...this.run.target.slice(0, k).map(({ token_id }) => token_id), one.token_id]));
      return button;
    });
    const column = make("div", { class: "decoding-step" }, make("span", { class: "num quiet" }, String(k)), ...buttons);
    column.classList.toggle("given", k < this.prefix.length);
    column.classList.toggle("chosen", token.chosen);
    return column;
  }

  logProbability(run) {
    return run.whole ? run.target.reduce((sum, { probability }) => sum + Math.log(probability), 0) : NaN;
  }

  get gained() {
    return this.beam > 1 && this.greedy.sourceText === this.run.sourceText ? this.logProbability(this.run) - this.logProbability(this.greedy) : NaN;
  }

  values() {
    const { run, prefix, beam } = this;
    const own = run.target.slice(prefix.length).map(({ probability }) => probability);
    return { steps: run.target.length, log_probability: this.logProbability(run), lowest: own.length ? Math.min(...own) : NaN, given: prefix.length, beam, gained: this.gained };
  }
}
