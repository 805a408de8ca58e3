/**
 * The three attentions of an encoder-decoder, side by side on one sentence: the encoder at itself, the
 * decoder at what it has written, the decoder at the encoder.
 *
 * Options: checkpoint (a transformer that translates); text; encoder, decoder, cross: [layer, head].
 * Values for exercises, of each of the three by its name: NAME_sharp: the largest weight of a row, mean
 * over the rows; NAME_before: weight at the token before, mean over the rows but the first; NAME_layer,
 * NAME_head.
 */

import { slices } from "../../api.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { sliced } from "../../transformer/sliced.js";
import { make, percent, t } from "../../words.js";
import { AttentionMap } from "../attention-map.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 400; // ms after typing before the text is read
const LONGEST = 70; // characters
const CELL = [14, 26]; // css px, least and most
const PARTS = { encoder: "encoder.blocks.*.attention", decoder: "decoder.blocks.*.attention", cross: "decoder.blocks.*.cross.attention" };

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new ThreeLooks(stage, { text: about.prompt ?? "", encoder: [0, 0], decoder: [0, 0], cross: [0, 0], ...options }, figure, about);
  await view.read();
  return view;
}

class ThreeLooks {
  constructor(stage, options, figure, about) {
    Object.assign(this, { stage, figure, about, state: { ...options } });
    const { encoder_layers: reads, decoder_layers: writes, num_heads: heads } = about.config;
    const field = make("input", { class: "field translation-text", type: "text", value: options.text, maxlength: String(LONGEST), spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(field, REST, () => {
      if (!field.value.trim()) return;
      this.state.text = field.value;
      this.figure.keep({ text: field.value });
      this.read();
    });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.panels = Object.fromEntries(Object.keys(PARTS).map((name) => [name, this.panel(name, name === "encoder" ? reads : writes, heads)]));
    this.host = make("div", { class: "looks" }, ...Object.values(this.panels).map(({ node }) => node));
    stage.replaceChildren(make("div", { class: "translation-head" }, field, labLink(about)), this.problem, this.host);
    onRestyle(() => this.draw());
    new ResizeObserver(() => this.stage.clientWidth !== this.room && this.draw()).observe(stage);
  }

  panel(name, layers, heads) {
    const choose = (label, count, k) => {
      const list = make("select", { class: "plain", "aria-label": `${t(`look ${name}`)}: ${label}` }, ...Array.from({ length: count }, (_, n) => make("option", { value: String(n) }, `${label} ${n}`)));
      list.value = String(this.state[name][k]);
      list.addEventListener("change", () => {
        const pair = [...this.state[name]];
        pair[k] = Number(list.value);
        this.state[name] = pair;
        this.figure.keep({ [name]: pair });
        this.draw();
      });
      return list;
    };
    const map = new AttentionMap("A", (query, key) => this.look(name, query, key), { weights: true });
    const [rows, columns, says] = [make("div", { class: "looks-rows" }), make("div", { class: "looks-columns" }), make("p", { class: "looks-says", role: "status" })];
    const node = make("div", { class: "look" }, make("p", { class: "looks-title" }, t(`look ${name}`)), make("p", { class: "looks-choice" }, choose(t("block"), layers, 0), " ", choose(t("head"), heads, 1)), make("div", { class: "looks-grid" }, make("span", {}), columns, rows, map.canvas), says);
    return { node, map, rows, columns, says, query: -1, key: -1 };
  }

  look(name, query, key) {
    Object.assign(this.panels[name], { query, key });
    this.draw();
  }

  async read() {
    this.aborter?.abort();
    this.aborter = new AbortController();
    try {
      const found = await slices(this.about.id, { text: this.state.text, slices: Object.values(PARTS).map((point) => ({ point })) }, this.aborter.signal);
      Object.keys(PARTS).forEach((name, k) => (this.panels[name].all = sliced(found.slices[k])));
      const plain = (token) => token.trim() || token;
      const [source, target] = [found.tokens.map(plain), found.target_tokens.map(plain)];
      // The decoder reads one token less than it writes, behind the sign of the start.
      const steps = this.panels.decoder.all.shape[2];
      this.tokens = { encoder: [source, source], decoder: [["<s>", ...target].slice(0, steps), ["<s>", ...target].slice(0, steps)], cross: [[...target, "</s>"].slice(0, steps), source] };
      this.problem.textContent = "";
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.problem.textContent = inOneLine(error);
    }
  }

  /** The map of a panel as it is chosen. */
  matrix(name) {
    const { all } = this.panels[name];
    const [, heads, rows, columns] = all.shape;
    const first = (this.state[name][0] * heads + this.state[name][1]) * rows * columns;
    return { values: all.data.subarray(first, first + rows * columns), rows, columns };
  }

  values() {
    if (!this.tokens) return {};
    const found = {};
    for (const name of Object.keys(PARTS)) {
      const { values, rows, columns } = this.matrix(name);
      let [sharp, before] = [0, 0];
      for (let i = 0; i < rows; i++) {
        sharp += Math.max(...values.subarray(i * columns, (i + 1) * columns)) / rows;
        if (i && name !== "cross") before += values[i * columns + i - 1] / (rows - 1);
      }
      Object.assign(found, { [`${name}_sharp`]: sharp, [`${name}_before`]: before, [`${name}_layer`]: this.state[name][0], [`${name}_head`]: this.state[name][1] });
    }
    return found;
  }

  draw() {
    if (!this.tokens) return;
    this.room = this.stage.clientWidth;
    const scale = parseFloat(getComputedStyle(this.stage).getPropertyValue("--scale")) || 1;
    const values = this.values();
    for (const [name, panel] of Object.entries(this.panels)) {
      const [queries, keys] = this.tokens[name];
      const matrix = this.matrix(name);
      const room = panel.node.clientWidth - 5.75 * 16 * scale;
      const cell = Math.max(CELL[0] * scale, Math.min(CELL[1] * scale, room / keys.length));
      panel.map.show(matrix, { wide: cell, high: cell, row: panel.query, column: panel.key });
      const labels = (tokens, chosen) => tokens.map((token, k) => make("span", { class: k === chosen ? "chosen" : "", title: token }, make("span", {}, token)));
      panel.rows.replaceChildren(...labels(queries, panel.query));
      panel.columns.replaceChildren(...labels(keys, panel.key));
      panel.node.style.setProperty("--cell", `${cell}px`);
      const { query, key } = panel;
      panel.says.textContent = query >= 0 && query < matrix.rows && key >= 0 && key < matrix.columns
        ? `${queries[query]} → ${keys[key]}: ${percent(matrix.values[query * matrix.columns + key])}`
        : t("largest weight of a row, on average: {share}", { share: percent(values[`${name}_sharp`]) });
      panel.map.canvas.setAttribute("aria-label", `${t(`look ${name}`)}. ${panel.says.textContent}`);
    }
    this.figure.changed();
  }
}
