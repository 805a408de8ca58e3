/**
 * A network that reads a text and says which label it carries. Where it reads in one direction: what
 * it would say if the text ended at each step, a row a label, a column a step. Where it weights its
 * steps: each word with its weight, and what it adds to the answer.
 *
 * Options: checkpoint; text (default: the network's own); at: the step whose labels are shown, -1:
 * the last; show: some of steps, words, bars, states (default: all but states); toward: the label
 * that evidence is told for (default: the last).
 * examples: texts to click (default: the network's own; []: none).
 * Values for exercises: probability.<label>, after the step shown; top: the number of the likeliest
 * label; confidence: its probability; length; at; attention.max, attention.at, attention.<k>;
 * evidence.<k>: what step k adds towards `toward`.
 */

import { classify } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { make, percent, t } from "../../words.js";
import { ready } from "../checkpoint.js";
import { stepsTable } from "../label-steps.js";
import { Desk, bars, columnsOf, stateMap } from "../reading-desk.js";
import { weighted } from "../weighted-words.js";

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Classifier(stage, { text: about.prompt ?? "", at: -1, show: ["steps", "words", "bars"], toward: "", ...options }, figure, about);
  await view.desk.read();
  return view;
}

class Classifier {
  constructor(stage, options, figure, about) {
    Object.assign(this, { options, figure, about, at: Number(options.at) });
    const names = about.points.map((point) => point.name);
    this.points = names.filter((name) => ["labels", "attention", "evidence"].includes(name) || (this.shows("states") && name.endsWith(".h")));
    this.desk = new Desk({
      text: options.text, about, examples: options.examples,
      ask: (text, signal) => classify(about.id, { text, points: this.points }, signal),
      show: (answer) => this.arrived(answer),
      onText: (text) => ((this.at = -1), figure.keep({ text, at: -1 })),
    });
    this.body = make("div", { class: "classifier" });
    stage.replaceChildren(this.desk.element, this.body);
    onRestyle(() => this.draw());
  }

  shows(name) {
    return this.options.show.includes(name);
  }

  arrived(answer) {
    const points = Object.entries(answer.points).map(([name, { range, data }]) => [name, { name, range, values: decode(data), shape: shapeOf(data) }]);
    this.found = { ...answer, probabilities: decode(answer.probabilities), points: Object.fromEntries(points) };
    this.draw();
    this.figure.changed();
  }

  /** The step whose labels are shown. */
  get step() {
    const last = this.found.tokens.length - 1;
    return this.at < 0 || !this.found.points.labels ? last : Math.min(this.at, last);
  }

  /** Probabilities of the labels after that step. */
  get now() {
    const { points, labels, probabilities } = this.found;
    if (!points.labels) return probabilities;
    return points.labels.values.subarray(this.step * labels.length, (this.step + 1) * labels.length);
  }

  get toward() {
    const found = this.found.labels.indexOf(this.options.toward);
    return found < 0 ? this.found.labels.length - 1 : found;
  }

  go(at) {
    this.at = at;
    this.figure.keep({ at: at === this.found.tokens.length - 1 ? -1 : at });
    this.draw();
  }

  draw() {
    if (!this.found) return;
    const { found } = this;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.step : null;
    const parts = [];
    const answer = make("p", { class: "label-answer", role: "status" }, ...this.answer());
    if (found.points.labels && this.shows("steps")) {
      parts.push(answer, stepsTable(found, { at: this.step, onGo: (at) => this.go(at), nameOf }));
    } else {
      parts.push(make("div", { class: "label-verdict" }, answer, ...(this.shows("bars") ? [bars(found.labels, this.now, { all: found.labels.length < 6, names: nameOf })] : [])));
    }
    if (found.points.evidence && this.shows("words")) parts.push(weighted(found, { toward: this.toward, nameOf }));
    if (this.shows("states")) {
      const columns = columnsOf(found.tokens);
      for (const point of Object.values(found.points)) if (point.name.endsWith(".h")) parts.push(make("div", { class: "label-scroll" }, stateMap(point, columns, found.tokens)));
    }
    this.body.replaceChildren(...parts);
    if (focused !== null) this.body.querySelector(`[data-step="${focused}"]`)?.focus();
    this.figure.changed();
  }

  /** The answer in words. */
  answer() {
    const { labels, tokens } = this.found;
    const top = this.top();
    const said = make("b", {}, nameOf(labels[top]));
    const share = make("span", { class: "num" }, percent(this.now[top]));
    const whole = this.step === tokens.length - 1;
    if (whole) return [said, " ", share];
    const read = tokens.slice(0, this.step + 1).join("");
    return [make("span", { class: "quiet" }, `${t("if it ended at “{text}”", { text: read })}: `), said, " ", share];
  }

  top() {
    return this.now.indexOf(Math.max(...this.now));
  }

  values() {
    if (!this.found) return {};
    const { labels, points, tokens } = this.found;
    const top = this.top();
    const told = { top, confidence: this.now[top], length: tokens.length, at: this.step };
    labels.forEach((label, k) => (told[`probability.${label}`] = this.now[k]));
    const attention = points.attention?.values;
    if (attention) {
      told["attention.max"] = Math.max(...attention);
      told["attention.at"] = attention.indexOf(told["attention.max"]);
      attention.forEach((value, k) => (told[`attention.${k}`] = value));
    }
    if (points.evidence) tokens.forEach((_, k) => (told[`evidence.${k}`] = points.evidence.values[k * labels.length + this.toward]));
    return told;
  }
}

/** A label in the reader's language. */
function nameOf(label) {
  const key = `label ${label}`;
  const found = t(key);
  return found === key ? label : found;
}
