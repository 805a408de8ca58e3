/**
 * What one head of a stack looks at in a text: all heads small, the opened one large, the text with
 * the weights of one character upon it, and how much of the head's weight follows some plain habits.
 *
 * Options: checkpoint (one causal stack of characters); text; layer; head; at: the character that
 * looks (-1: the last).
 * Values for exercises: itself, before, word, gap, line: shares of the opened head's weight (`habits`);
 * layer, head, at; key: what the character looks at most; weight.
 */

import { slices } from "../../api.js";
import { attentionRamp, inkOn, onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { mapImage } from "../../transformer/map-image.js";
import { sliced, valueOf } from "../../transformer/sliced.js";
import { make, mark, percent, spoken, t } from "../../words.js";
import { AttentionMap } from "../attention-map.js";
import { labLink, ready } from "../checkpoint.js";
import { shares } from "../habits.js";
import { whenTyped } from "../typing.js";

const REST = 400; // ms after typing before the text is read
const LONGEST = 160; // characters: a map is as large as their square
const MAP = [300, 440]; // css px, the opened map: least and most
const TALL = 0.5; // of a projector's height

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new HeadHabits(stage, { text: about.prompt ?? "", layer: 0, head: 0, at: -1, ...options }, figure, about);
  await view.read();
  return view;
}

class HeadHabits {
  constructor(stage, options, figure, about) {
    Object.assign(this, { stage, figure, about, state: { ...options }, over: -1 });
    const { num_layers: layers, num_heads: heads } = about.config;
    Object.assign(this, { layers, heads });
    this.field = make("textarea", { class: "field num text", rows: "4", maxlength: String(LONGEST), spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    this.field.value = options.text;
    whenTyped(this.field, REST, () => {
      if (!this.field.value) return;
      this.set({ text: this.field.value, at: -1 }, true);
    });
    this.boards = Array.from({ length: layers * heads }, (_, k) => {
      const [layer, head] = [Math.floor(k / heads), k % heads];
      const host = make("span", { class: "habit-thumb" });
      const button = make("button", { type: "button", "aria-label": t("block {layer}, head {head}", { layer, head }) }, host, make("span", { class: "num" }, `${layer}.${head}`));
      button.addEventListener("click", () => this.set({ layer, head }));
      return { button, host };
    });
    this.title = make("p", { class: "habit-title", role: "status" });
    this.map = new AttentionMap("A", (query, key, kept) => (kept ? this.set({ at: query }) : this.hover(query)), { weights: true });
    this.reads = make("div", { class: "habit-text num", tabindex: "0", role: "slider", "aria-label": t("current character") });
    this.reads.addEventListener("click", (event) => {
      const one = event.target.closest("[data-t]");
      if (one) this.set({ at: Number(one.dataset.t) });
    });
    this.reads.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: this.tokens.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.set({ at: Math.max(0, Math.min(this.tokens.length - 1, to)) });
    });
    this.says = make("p", { class: "habit-says" });
    this.bars = make("div", { class: "habit-bars" });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.mapHost = make("div", { class: "habit-map" }, this.title, this.map.canvas);
    const board = make("div", { class: "habit-board", role: "group", "aria-label": t("all heads") }, ...this.boards.map(({ button }) => button));
    board.style.gridTemplateColumns = `repeat(${heads}, max-content)`;
    const lab = labLink(about);
    stage.replaceChildren(
      make("div", { class: "habit-head" }, this.field, lab), this.problem,
      make("div", { class: "habit-columns" }, make("div", {}, make("p", { class: "quiet small" }, t("block.head")), board), this.mapHost, make("div", { class: "habit-side" }, this.reads, this.says, this.bars)),
    );
    onRestyle(() => {
      this.painted = null;
      this.draw();
    });
    new ResizeObserver(() => this.stage.clientWidth !== this.room && this.draw()).observe(stage);
  }

  get at() {
    const last = (this.tokens?.length ?? 1) - 1;
    return this.state.at < 0 ? last : Math.min(this.state.at, last);
  }

  set(change, read = false) {
    this.over = -1;
    Object.assign(this.state, change);
    this.figure.keep(change);
    if (read) this.read();
    else this.draw();
  }

  hover(query) {
    if (query === this.over) return;
    this.over = query;
    this.draw();
  }

  async read() {
    this.aborter?.abort();
    this.aborter = new AbortController();
    try {
      const found = await slices(this.about.id, { text: this.state.text, slices: [{ point: "blocks.*.attention", form: "u1" }] }, this.aborter.signal);
      this.all = sliced(found.slices[0]); // (layer, head, query, key)
      this.tokens = found.tokens;
      this.painted = null;
      this.problem.textContent = "";
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.problem.textContent = inOneLine(error);
    }
  }

  /** Bytes of a head's map. */
  bytes(layer, head) {
    const size = this.tokens.length ** 2;
    const first = (layer * this.heads + head) * size;
    return this.all.data.subarray(first, first + size);
  }

  values() {
    if (!this.all) return {};
    const { layer, head } = this.state;
    const T = this.tokens.length;
    const bytes = this.bytes(layer, head);
    const weight = (query, key) => valueOf(this.all, bytes[query * T + key]);
    const row = Array.from({ length: T }, (_, key) => weight(this.at, key));
    const key = row.indexOf(Math.max(...row));
    return { ...shares(weight, this.tokens), layer, head, at: this.at, key, weight: row[key] };
  }

  draw() {
    if (!this.all) return;
    this.room = this.stage.clientWidth;
    const { layer, head } = this.state;
    const T = this.tokens.length;
    const ramp = attentionRamp();
    this.boards.forEach(({ button, host }, k) => {
      button.setAttribute("aria-pressed", String(k === layer * this.heads + head));
      if (this.painted !== this.all) host.replaceChildren(mapImage(this.bytes(Math.floor(k / this.heads), k % this.heads), T, T, sqrtTable(this.all, ramp.table)));
    });
    this.painted = this.all;
    const query = this.over < 0 ? this.at : this.over;
    const values = Float32Array.from(this.bytes(layer, head), (byte) => valueOf(this.all, byte));
    const scale = parseFloat(getComputedStyle(this.stage).getPropertyValue("--scale")) || 1;
    // All of it has to be seen at once on a projector.
    const tall = "present" in document.documentElement.dataset ? TALL * innerHeight : Infinity;
    const side = Math.max(MAP[0], Math.min(MAP[1] * scale, tall));
    const cell = Math.min(side, this.stage.clientWidth) / T;
    this.map.show({ values, rows: T, columns: T }, { wide: cell, high: cell, row: query });
    this.title.textContent = t("block {layer}, head {head}", { layer, head });
    const row = values.subarray(query * T, (query + 1) * T);
    this.reads.replaceChildren(...this.tokens.map((token, k) => {
      const level = Math.round(255 * Math.sqrt(row[k]));
      const one = make("span", { "data-t": String(k), class: k === query ? "here" : k > query ? "later" : "" }, token === "\n" ? "↵\n" : token);
      if (k <= query) {
        one.style.background = ramp.css[level];
        one.style.color = inkOn(ramp.css[level]);
      }
      return one;
    }));
    for (const [name, value] of [["min", 0], ["max", T - 1], ["now", query], ["text", `${t("step {n}", { n: query })}, ${spoken(this.tokens[query])}`]]) this.reads.setAttribute(`aria-value${name}`, String(value));
    const key = row.indexOf(Math.max(...row));
    this.says.textContent = t("“{query}” looks most at “{key}”, distance {n}: {share}", { query: mark(this.tokens[query]), key: mark(this.tokens[key]), n: query - key, share: percent(row[key]) });
    const found = this.values();
    this.bars.replaceChildren(make("p", { class: "quiet small" }, t("share of this head's weight, over the whole text, at")), ...["itself", "before", "word", "gap", "line"].map((name) => {
      const bar = make("i", {});
      bar.style.width = `${100 * (found[name] || 0)}%`;
      return make("div", {}, make("span", {}, t(`habit ${name}`)), make("span", { class: "bar" }, bar), make("span", { class: "num" }, percent(found[name]) || "–"));
    }));
    this.map.canvas.setAttribute("aria-label", `${this.title.textContent}: ${this.bars.textContent}`);
    this.figure.changed();
  }
}

/** Bytes of a map -> colours of weights, a little lifted so that faint ones are seen when small. */
function sqrtTable(slice, table) {
  return Uint32Array.from({ length: 256 }, (_, byte) => table[Math.round(255 * valueOf(slice, byte) ** 0.7)]);
}
