/**
 * A convolutional network over a text: the text as columns, its layers stacked above, and the tree of
 * connections that reaches the chosen node. Every node has the colour of what was computed there.
 *
 * Options: checkpoint; text (default: the network's prompt, and what it writes after it); at: the
 * column whose guess is shown, -1 the last; layer: the layer, from 1, whose node is followed down,
 * 0 the guess itself; quantity: gate, candidate or residual; of: mean, strongest or unit; unit.
 * Values for exercises: at, layer, field: the characters that the node can see in a text without end;
 * seen: those of them that are in this text; value: the node's; probability: of the likeliest next
 * character.
 */

import { generate, trace } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { hue, onRestyle, sequential, signedRamp } from "../../color.js";
import { make, mark, percent, short, spoken, t } from "../../words.js";
import { ready } from "../checkpoint.js";
import { DilatedTree } from "../dilated-tree.js";
import { quoted } from "../gradient-data.js";
import { Desk, scale } from "../reading-desk.js";

const QUANTITIES = ["gate", "candidate", "residual"];
const OF = ["mean", "strongest", "unit"];
const LONGEST = 400; // characters that are shown
const WRITTEN = 90; // characters after the prompt, where the lesson gives no text
const MORE = 40; // characters that the button writes

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const all = { at: -1, layer: 0, quantity: "residual", of: "unit", unit: 0, ...options };
  all.text ??= await written(about, about.prompt || "a", WRITTEN);
  const view = new Convolution(stage, all, figure, about);
  await view.desk.read();
  return view;
}

/** A text and so many characters that the network writes after it; the same ones each time. */
async function written(about, text, count) {
  let whole = text;
  const body = { prefix: text, max_new_tokens: count, temperature: 0.7, seed: 1, points: [], start: Array.from(text).length };
  await generate(about.id, body, undefined, (event, data) => {
    if (event === "done") whole = JSON.parse(data).text;
  });
  return whole;
}

class Convolution {
  constructor(stage, options, figure, about) {
    const { at, layer, quantity, of, unit } = options;
    Object.assign(this, { figure, about, state: { at: Number(at), layer: Number(layer), quantity, of, unit: Number(unit) } });
    const { num_layers, kernel_size } = about.config;
    this.shape = { layers: num_layers, kernel: kernel_size };
    this.desk = new Desk({
      text: options.text, about,
      ask: (text, signal) => trace(about.id, { text, points: this.points }, signal),
      show: (answer) => this.arrived(answer),
      onText: (text) => this.keep({ text, at: -1 }),
    });
    this.desk.field.maxLength = LONGEST;
    this.tree = new DilatedTree(this.shape, { onGo: (at, layer) => this.go(at, layer), nameOf: (layer) => this.nameOf(layer) });
    this.told = make("p", { class: "conv-told", role: "status" });
    this.text = make("div", { class: "coloured num conv-text" });
    this.text.addEventListener("click", (event) => {
      const at = event.target.closest("[data-at]")?.dataset.at;
      if (at !== undefined) this.go(Number(at), 0);
    });
    this.legend = make("p", { class: "note" });
    this.side = make("div", { class: "conv-next" });
    const main = make("div", { class: "conv-main" }, this.tree.element, this.legend, this.told, this.text);
    stage.replaceChildren(this.desk.element, this.controls(), make("div", { class: "conv-body" }, main, this.side));
    new ResizeObserver(() => this.draw()).observe(this.tree.element);
    onRestyle(() => this.draw());
  }

  get points() {
    return Array.from({ length: this.shape.layers }, (_, layer) => `blocks.${layer}.${this.state.quantity}`);
  }

  keep(changes) {
    const { text, ...state } = changes;
    Object.assign(this.state, state);
    this.figure.keep(changes);
  }

  controls() {
    const choice = (name, words, label) => {
      const select = make("select", { "aria-label": label }, ...words.map((word) => make("option", { value: word, selected: word === this.state[name] }, t(`conv ${word}`))));
      select.addEventListener("change", () => {
        this.keep({ [name]: select.value });
        this.unit.hidden = this.state.of !== "unit";
        if (name === "quantity") this.desk.read();
        else this.draw();
      });
      return select;
    };
    const most = Math.max(...this.about.points.map((point) => point.shape[1]));
    this.unit = make("input", { class: "field num", type: "number", min: "0", max: String(most - 1), value: String(this.state.unit), "aria-label": t("number of the unit"), hidden: this.state.of !== "unit" });
    this.unit.addEventListener("input", () => {
      const unit = Math.round(Number(this.unit.value));
      if (unit >= 0 && unit < most) this.keep({ unit }), this.draw();
    });
    const more = make("button", { class: "plain", type: "button" }, t("write on"));
    more.addEventListener("click", () => this.write(more));
    return make("div", { class: "conv-controls" }, make("span", { class: "quiet" }, t("colour")), choice("quantity", QUANTITIES, t("quantity")), choice("of", OF, t("of which units")), this.unit, more);
  }

  /** Let the network go on from what stands there. */
  async write(button) {
    button.disabled = true;
    try {
      const room = LONGEST - Array.from(this.desk.field.value).length;
      if (room > 0) this.desk.field.value = await written(this.about, this.desk.field.value, Math.min(MORE, room));
      await this.desk.change();
    } catch (error) {
      this.desk.problem.show(error);
    }
    button.disabled = false;
  }

  arrived(answer) {
    this.found = {
      tokens: answer.tokens,
      points: this.points.map((name) => ({ values: decode(answer.points[name].data), units: shapeOf(answer.points[name].data)[1] })),
      range: answer.points[this.points[0]].range,
      next: answer.next.tokens,
      chances: decode(answer.next.probabilities),
      given: decode(answer.probability),
    };
    this.draw();
  }

  /** The column that is looked at. */
  get at() {
    const last = this.found.tokens.length - 1;
    return this.state.at < 0 ? last : Math.min(this.state.at, last);
  }

  go(at, layer) {
    const last = this.found.tokens.length - 1;
    this.keep({ at: at === last ? -1 : at, layer });
    this.draw();
  }

  /** What the colours show, in words. */
  name() {
    const { quantity, of, unit } = this.state;
    return `${t(`conv ${quantity}`)}, ${of === "unit" ? t("unit {n}", { n: unit }) : t(`conv ${of}`)}`;
  }

  nameOf(layer) {
    return t("layer {n}", { n: layer });
  }

  /** What the nodes of each layer show, (layer, time), and the limits of their colours. */
  numbers() {
    const { of, unit } = this.state;
    const { points, range, tokens } = this.found;
    const T = tokens.length;
    const rows = points.map(({ values, units }) => Float32Array.from({ length: T }, (_, time) => summary(values.subarray(time * units, (time + 1) * units), of, unit)));
    const known = rows.flatMap((row) => Array.from(row)).filter(Number.isFinite);
    if (range === "unit") return { rows, low: of === "unit" ? 0 : Math.min(...known), high: of === "unit" ? 1 : Math.max(...known), ramp: sequential(hue("o")) };
    const limit = range === "signed" && of === "unit" ? 1 : Math.max(...known.map(Math.abs)) || 1;
    return { rows, low: -limit, high: limit, ramp: signedRamp() };
  }

  /** The first column that the chosen node can see; below 0 there is no text. */
  get first() {
    const { layer } = this.state;
    const under = layer || this.shape.layers;
    return this.at - (this.shape.kernel - 1) * (2 ** under - 1);
  }

  draw() {
    if (!this.found) return;
    const { found, at, state } = this;
    const shown = this.numbers();
    this.shown = shown;
    const guess = { token: found.next[at][0], probability: this.chances(at)[0] };
    this.tree.draw({ tokens: found.tokens, at, layer: state.layer, first: this.first, guess, ...shown });
    this.legend.replaceChildren(scale(shown.ramp, short(shown.low), short(shown.high), this.name()));
    this.tell();
    this.drawText();
    this.drawNext();
    this.figure.changed();
  }

  tell() {
    const { found, at, state, first } = this;
    const words = { layer: state.layer, n: at, character: quoted(found.tokens[at]), seen: at - Math.max(0, first) + 1, field: at - first + 1 };
    const said = [state.layer ? t("Layer {layer} after {character} (step {n}) sees {seen} characters of this text, and {field} at most.", words) : t("The guess after {character} (step {n}) is made from {seen} characters of this text, and from {field} at most.", words)];
    if (first < 0) said.push(t("Before the text there are zeros."));
    if (state.layer) said.push(`(${this.name()}: ${short(this.value())})`);
    this.told.textContent = said.join(" ");
  }

  /** The text to read, what the node sees of it marked. */
  drawText() {
    const { found, at, first } = this;
    this.text.replaceChildren(
      ...found.tokens.map((token, k) => {
        const kind = `${k >= first && k <= at ? "seen" : "unseen"}${k === at ? " here" : ""}`;
        return make("span", { class: kind, "data-at": String(k) }, token === "\n" ? "↵\n" : token);
      }),
    );
  }

  chances(at) {
    const top = this.found.next[at].length;
    return this.found.chances.subarray(at * top, (at + 1) * top);
  }

  drawNext() {
    const { found, at } = this;
    const chances = this.chances(at);
    const came = found.tokens[at + 1];
    const row = (token, chance, chosen) => {
      const fill = make("i", {});
      fill.style.width = `${100 * chance}%`;
      return make("li", { class: chosen ? "came" : "" }, make("b", { class: "num", title: spoken(token) }, mark(token)), make("span", { class: "conv-track" }, fill), make("span", { class: "num", title: String(chance) }, percent(chance)));
    };
    const rows = found.next[at].map((token, k) => row(token, chances[k], token === came));
    const told = came === undefined ? [] : [make("p", { class: "note" }, t("{character} came: it had {share}", { character: quoted(came), share: percent(found.given[at + 1]) }))];
    this.side.replaceChildren(make("h4", {}, t("comes next after {character}", { character: quoted(found.tokens[at]) })), make("ol", {}, ...rows), ...told);
  }

  /** What the followed node shows; of a guess the top layer's. */
  value() {
    const row = this.shown.rows[(this.state.layer || this.shape.layers) - 1];
    return row[this.at];
  }

  values() {
    if (!this.shown) return {};
    const { at, first, state } = this;
    return { at, layer: state.layer, field: at - first + 1, seen: at - Math.max(0, first) + 1, value: this.value(), probability: this.chances(at)[0] };
  }
}

/** One number for a node's units. @param {Float32Array} units @param {string} of */
function summary(units, of, unit) {
  if (of === "unit") return unit < units.length ? units[unit] : NaN;
  if (of === "mean") return units.reduce((sum, value) => sum + value, 0) / units.length;
  return units.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}
