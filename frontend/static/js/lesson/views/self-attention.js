/**
 * Words that look at each other: every head of a layer as a map, one of them large, and how far the
 * output of each word moves when the words are read in another order, with positions or without.
 *
 * Options: checkpoint; text; stack: `encoder.` of a translator, or none; layer; head; order: the words
 * are read in this order; positions: false takes them away; query, key: what is looked at; show: `heads`
 * alone, or `order` too, with which words may be moved.
 * Values for exercises: layer, head, weight (at the place that is looked at), largest, previous (mean
 * weight on the token before), itself (on the token), moved (the most that an output moves, of its size),
 * displaced (words that stand elsewhere), still: displaced where nothing has moved, else 0.
 */

import { slices } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { make, mark, percent, t } from "../../words.js";
import { shuffled } from "../../transformer/orders.js";
import { AttentionMap } from "../attention-map.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 400; // ms after typing
const NOTHING = 1e-4; // of the size of an output: what rounding leaves
const USUAL = { stack: "", layer: 0, head: 0, order: [], positions: true, query: 0, key: 0, show: ["order", "heads"] };

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new SelfAttention(stage, { ...USUAL, text: about.prompt ?? "", ...options }, figure, about);
  await view.read();
  return view;
}

class SelfAttention {
  constructor(stage, options, figure, about) {
    const state = Object.fromEntries(["text", ...Object.keys(USUAL)].map((name) => [name, options[name]]));
    const { config } = about;
    Object.assign(this, { figure, about, state, layers: state.stack ? config.encoder_layers : config.num_layers, swap: -1, seed: 0 });
    const field = (this.field = make("input", { class: "field translation-text", type: "text", value: state.text, maxlength: "60", spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") }));
    whenTyped(field, REST, () => field.value.trim() && this.set({ text: field.value, order: [], query: 0, key: 0 }));
    this.words = make("div", { class: "self-words", role: "group", "aria-label": t("order of the words: choose two to swap them") });
    const button = (text, action) => {
      const node = make("button", { type: "button", class: "button" }, text);
      node.addEventListener("click", action);
      return node;
    };
    this.back = button(t("as typed"), () => this.set({ order: [] }));
    const shuffle = button(t("shuffle"), () => this.set({ order: shuffled(this.tokens.length, ++this.seed) }));
    this.box = make("input", { type: "checkbox" });
    this.box.addEventListener("change", () => this.set({ positions: this.box.checked }));
    this.layer = make("select", { class: "plain" }, ...Array.from({ length: this.layers }, (_, n) => make("option", { value: String(n) }, String(n))));
    this.layer.addEventListener("change", () => this.set({ layer: Number(this.layer.value) }));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.small = Array.from({ length: config.num_heads }, (_, head) => {
      const map = new AttentionMap(`${t("head")} ${head}`, () => {}, { weights: true });
      const node = make("button", { type: "button", class: "self-head" }, map.canvas, make("span", {}, `${t("head")} ${head}`));
      node.addEventListener("click", () => this.choose({ head }));
      return { map, node };
    });
    this.map = new AttentionMap("A", (query, key, kept) => this.look(query, key, kept), { weights: true });
    this.map.canvas.tabIndex = 0;
    this.map.canvas.addEventListener("keydown", (event) => this.walk(event));
    this.rows = make("div", { class: "attention-labels of-a" });
    this.under = make("div", { class: "attention-labels of-under" });
    this.told = make("p", { class: "note self-told", role: "status" });
    this.bars = make("div", { class: "self-bars" });
    this.sum = make("p", { class: "note", role: "status" });
    const grid = make("div", { class: "self-heads", role: "group", "aria-label": t("heads of this layer") }, ...this.small.map(({ node }) => node));
    grid.hidden = config.num_heads === 1;
    const positions = make("label", {}, this.box, ` ${t("positions")}`);
    positions.hidden = config.positions === "none";
    const layers = make("label", {}, `${t("layer")} `, this.layer);
    layers.hidden = this.layers === 1;
    this.moves = make("div", { class: "self-moved" }, this.title = make("p", { class: "asked" }, t("How far the output of each word has moved, of its size")), this.bars, this.sum);
    this.words.hidden = shuffle.hidden = this.back.hidden = !state.show.includes("order");
    this.sheet = make("div", { class: "attention-sheet self-sheet" }, make("div", { class: "at-left" }, this.rows, make("div", {}, this.map.canvas, this.under)));
    stage.replaceChildren(
      make("div", { class: "translation-head" }, field, labLink(about)), this.problem,
      this.words, make("div", { class: "attention-choices" }, shuffle, this.back, positions, layers), grid,
      make("div", { class: "self-body" }, make("div", {}, this.sheet, this.told), this.moves),
    );
    onRestyle(() => this.draw());
    new ResizeObserver(() => stage.clientWidth !== this.room && this.draw()).observe(stage);
    this.stage = stage;
  }

  /** Changes after which the network reads anew. */
  set(change) {
    Object.assign(this.state, change);
    this.figure.keep(change);
    this.read();
  }

  /** Changes of what is shown. */
  choose(change) {
    Object.assign(this.state, change);
    this.figure.keep(change);
    this.draw();
  }

  look(query, key, kept) {
    if (kept) return this.choose({ query, key });
    this.over = query < 0 ? null : { query, key };
    this.draw();
  }

  walk(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step || !this.tokens) return;
    event.preventDefault();
    event.stopPropagation();
    const within = (n) => Math.max(0, Math.min(this.tokens.length - 1, n));
    this.choose({ query: within(this.state.query + step[0]), key: within(this.state.key + step[1]) });
  }

  /** The words in their order, and beside it as they were typed. */
  async read() {
    const { text, stack, layer, order, positions } = this.state;
    const asked = (this.asked = {});
    const last = `${stack}blocks.${this.layers - 1}.residual`;
    const ask = (order, points) => slices(this.about.id, { text, edits: { order, positions }, slices: points.map((point) => ({ point })) });
    try {
      const [typed, now] = await Promise.all([ask([], [last]), ask(order, [last, `${stack}blocks.${layer}.attention`])]);
      if (asked !== this.asked) return; // the reader has gone on
      const plain = (token) => (token.trim() ? token.trim() : mark(token));
      const T = now.tokens.length;
      this.order = order.length ? order : Array.from({ length: T }, (_, n) => n);
      this.tokens = now.tokens.map(plain);
      const units = shapeOf(now.slices[0].data)[1];
      const [before, after] = [typed, now].map((one) => decode(one.slices[0].data));
      this.moved = this.order.map((from, at) => apart(after.subarray(at * units, (at + 1) * units), before.subarray(from * units, (from + 1) * units)));
      const weights = decode(now.slices[1].data);
      this.heads = this.small.map((_, head) => ({ values: weights.subarray(head * T * T, (head + 1) * T * T), rows: T, columns: T }));
      this.next = stack || !now.next ? null : { text: mark(now.next.tokens[0]), share: percent(decode(now.next.probabilities)[0]) };
      Object.assign(this.state, { query: Math.min(this.state.query, T - 1), key: Math.min(this.state.key, T - 1) });
      this.problem.textContent = "";
      this.swap = -1;
      this.over = null;
      this.fill();
      this.draw();
      this.figure.changed();
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  /** Words, switches and bars, after reading. */
  fill() {
    const { order, tokens, moved, state } = this;
    this.box.checked = state.positions;
    this.layer.value = String(state.layer);
    this.back.disabled = !state.order.length;
    const had = Array.from(this.words.children).indexOf(document.activeElement);
    this.words.replaceChildren(...tokens.map((text, at) => {
      const node = make("button", { type: "button", class: `self-word${order[at] === at ? "" : " displaced"}`, "aria-pressed": "false" }, text);
      node.addEventListener("click", () => this.pick(at));
      return node;
    }));
    if (had >= 0) this.words.children[Math.min(had, tokens.length - 1)].focus();
    this.bars.replaceChildren(...order.map((from, at) => ({ from, at })).sort((a, b) => a.from - b.from).map(({ at }) => {
      const bar = make("i", {});
      bar.style.width = `${Math.min(100, (100 * moved[at]) / Math.max(1, ...moved))}%`;
      return make("div", { class: "self-bar" }, make("span", {}, tokens[at]), make("span", { class: "track" }, bar), make("span", { class: "num" }, moved[at] < NOTHING ? "0%" : percent(moved[at])));
    }));
    const most = Math.max(...moved);
    const parts = [];
    this.title.hidden = this.bars.hidden = !state.order.length; // nothing to compare
    if (state.order.length) parts.push(most < NOTHING ? t("Every output is the same as before, to the last digits: the outputs were shuffled with the words.") : t("The same words in another order have other outputs: the largest has moved by {share} of its size.", { share: percent(most) }));
    else if (state.show.includes("order")) parts.push(t("The words stand as typed: nothing has moved."));
    if (this.next) parts.push(t("Likeliest next: “{text}”, {share}.", this.next));
    this.sum.textContent = parts.join(" ");
  }

  /** The first word that is chosen waits for the second. */
  pick(at) {
    if (this.swap < 0) this.swap = at;
    else if (this.swap === at) this.swap = -1;
    else {
      const order = [...this.order];
      [order[at], order[this.swap]] = [order[this.swap], order[at]];
      const plain = order.every((from, n) => from === n);
      return this.set({ order: plain ? [] : order });
    }
    Array.from(this.words.children).forEach((node, n) => node.setAttribute("aria-pressed", String(n === this.swap)));
  }

  draw() {
    if (!this.heads) return;
    const { tokens, state, heads } = this;
    const { query, key } = this.over ?? state;
    this.room = this.stage.clientWidth;
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const T = tokens.length;
    const longest = Math.max(...tokens.map((text) => Array.from(text).length));
    const label = Math.min(90, 10 + 8 * longest) * scale;
    const wide = this.room > 900 * scale;
    const high = document.documentElement.hasAttribute("data-present") ? innerHeight : Infinity; // what a projector shows at once
    const side = Math.min((wide ? 0.5 : 1) * this.room - label - 16, 460 * scale, 0.42 * high);
    const cell = Math.max(4, Math.min(34 * scale, side / T));
    this.sheet.style.setProperty("--label", `${label}px`);
    this.sheet.style.setProperty("--token", `${cell}px`);
    const across = Math.min(this.small.length, 4);
    const little = Math.max(1.5, Math.min(10 * scale, (0.13 * high) / T, (Math.min(this.room, 760 * scale) / across - 16) / T));
    this.small.forEach(({ map, node }, head) => {
      map.show(heads[head], { wide: little, high: little });
      map.canvas.setAttribute("aria-label", `${t("head")} ${head}`);
      node.setAttribute("aria-pressed", String(head === state.head));
    });
    this.map.show(heads[state.head], { wide: cell, high: cell, row: query, column: key, cell: true });
    this.map.canvas.setAttribute("aria-label", t("weights of head {head}, a row a query; arrows move", { head: state.head }));
    const texts = (host, chosen) => host.replaceChildren(...tokens.map((text, n) => make("span", { class: n === chosen ? "chosen" : "" }, make("span", {}, text))));
    texts(this.rows, query);
    texts(this.under, key);
    const weight = heads[state.head].values[query * T + key];
    this.told.textContent = t("Layer {layer}, head {head}: “{query}” looks at “{key}” with {weight}.", { layer: state.layer, head: state.head, query: tokens[query], key: tokens[key], weight: weight.toFixed(3) });
    this.figure.changed();
  }

  values() {
    if (!this.heads) return {};
    const { state: { layer, head, query, key }, moved, order } = this;
    const { values, rows: T } = this.heads[head];
    const mean = (back) => Array.from({ length: T - back }, (_, n) => values[(n + back) * T + n]).reduce((a, b) => a + b, 0) / Math.max(1, T - back);
    const displaced = order.filter((from, at) => from !== at).length;
    const most = Math.max(...moved);
    return { layer, head, weight: values[query * T + key], largest: Math.max(...values), previous: mean(1), itself: mean(0), moved: most, displaced, still: most < NOTHING ? displaced : 0 };
  }
}

/** How far two rows are apart, of the size of the second. */
function apart(one, other) {
  let [distance, size] = [0, 0];
  other.forEach((value, u) => {
    distance += (one[u] - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(distance / (size || 1));
}
