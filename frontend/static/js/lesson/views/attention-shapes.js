/**
 * Every matrix of one head of attention with its sizes and numbers: queries, keys, values, scores,
 * weights and what comes out, set so that a row meets a column where their product stands. Queries,
 * keys and values are the network's; what follows is worked out here, so that a step of it may be left out.
 *
 * Options: checkpoint; text; part: an attention, such as `blocks.0` or `decoder.blocks.1.cross`; head;
 * query, key, unit: what is looked at; scale: whether products are divided by √d; mask: whether keys
 * after the query are hidden (of a network that reads forward alone).
 * Values for exercises: T, S, d; product, score, weight, output at the place that is looked at; largest:
 * weight of the query's row; sharp: mean over the queries of their largest weight; query, key, unit.
 */

import { slices } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { full, make, mark, short, t } from "../../words.js";
import { AttentionMap } from "../attention-map.js";
import { largestTerms, productsOf, rowOf, scoresOf, sumsOf, varianceOf, weightsOf } from "../attention-numbers.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 400; // ms after typing
const PARTS = ["q", "k", "v", "heads"];
const USUAL = { part: "blocks.0", head: 0, query: 0, key: 0, unit: 0, scale: true, mask: true };
const SPELLED = 3; // terms of a sum

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new AttentionShapes(stage, { ...USUAL, text: about.prompt ?? "", ...options }, figure, about);
  await view.read();
  return view;
}

const letter = (name, text, index = "") => make("i", { class: `q q-${name}` }, text, make("sub", {}, index));
const present = () => document.documentElement.hasAttribute("data-present");
const cut = (text, most) => (Array.from(text).length > most ? `${Array.from(text).slice(0, Math.max(1, most - 1)).join("")}…` : text);
const number = (value, name = "") => make("span", { class: `num ${name ? `q-${name}` : ""}`, title: full(value) }, short(value));

class AttentionShapes {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, state: Object.fromEntries(["text", ...Object.keys(USUAL)].map((name) => [name, options[name]])) });
    const { state } = this;
    this.across = state.part.endsWith(".cross");
    this.causal = !this.across && !state.part.startsWith("encoder");
    const field = make("input", { class: "field translation-text", type: "text", value: state.text, maxlength: "80", spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(field, REST, () => field.value.trim() && this.set({ text: field.value, query: 0, key: 0 }, true));
    this.heads = this.select(t("head"), "head", true);
    this.queries = this.select(t("query"), "query");
    this.keys = this.select(t("key"), "key");
    this.units = this.select(t("component"), "unit");
    this.problem = make("p", { class: "broken", role: "alert" });
    this.maps = {
      q: new AttentionMap("Q", (i, u, kept) => this.look({ query: i, unit: u }, kept)),
      k: new AttentionMap("K", (j, u, kept) => this.look({ key: j, unit: u }, kept), { across: true }),
      s: new AttentionMap("S", (i, j, kept) => this.look({ query: i, key: j }, kept)),
      a: new AttentionMap("A", (i, j, kept) => this.look({ query: i, key: j }, kept), { weights: true }),
      v: new AttentionMap("V", (j, u, kept) => this.look({ key: j, unit: u }, kept)),
      z: new AttentionMap("Z", (i, u, kept) => this.look({ query: i, unit: u }, kept)),
    };
    this.names = Object.fromEntries(Object.keys(this.maps).map((name) => [name, make("div", { class: `attention-name of-${name}` })]));
    this.labels = Object.fromEntries(["q", "s", "a", "v", "under"].map((name) => [name, make("div", { class: `attention-labels of-${name}` })]));
    const { maps, names, labels } = this;
    const cell = (name, ...nodes) => make("div", { class: `at-${name}` }, ...nodes);
    this.sheets = make("div", { class: "attention-sheets" },
      make("div", { class: "attention-sheet" }, cell("corner", names.k, names.q), cell("above", maps.k.canvas), cell("left", labels.q, make("div", {}, maps.q.canvas, names.s)), cell("meet", maps.s.canvas, labels.s)),
      make("div", { class: "attention-sheet" }, cell("corner", make("div", { class: "attention-pair" }, names.a, labels.v)), cell("above", names.v, maps.v.canvas), cell("left", labels.a, make("div", {}, maps.a.canvas, labels.under)), cell("meet", maps.z.canvas, names.z)),
    );
    this.sums = make("div", { class: "attention-sums", role: "status" });
    const boxes = [this.box("scale", make("span", {}, t("divide by"), " √d"))];
    if (this.causal) boxes.push(this.box("mask", t("hide the keys after the query")));
    stage.replaceChildren(
      make("div", { class: "translation-head" }, field, labLink(about)), this.problem,
      make("div", { class: "attention-choices" }, ...[["head", this.heads], ["query", this.queries], ["key", this.keys], ["component", this.units]].map(([name, list]) => make("label", {}, `${t(name)} `, list)), ...boxes),
      this.sheets, this.sums,
    );
    onRestyle(() => this.draw());
    new ResizeObserver(() => this.sheets.clientWidth !== this.room && this.draw()).observe(this.sheets);
  }

  select(label, name, read = false) {
    const list = make("select", { class: "plain", "aria-label": label });
    list.addEventListener("change", () => this.set({ [name]: Number(list.value) }, read));
    return list;
  }

  box(name, text) {
    const box = make("input", { type: "checkbox" });
    box.checked = this.state[name];
    box.addEventListener("change", () => this.set({ [name]: box.checked }));
    return make("label", {}, box, " ", text);
  }

  set(change, read = false) {
    Object.assign(this.state, change);
    this.figure.keep(change);
    if (read) this.read();
    else this.work();
  }

  /** What the pointer is over; it stays where it was clicked. */
  look(change, kept) {
    if (kept) return this.set(change);
    this.over = Object.values(change).some((value) => value < 0) ? {} : change;
    this.draw();
  }

  async read() {
    const { part, head, text } = this.state;
    const asked = (this.asked = {});
    try {
      const found = await slices(this.about.id, { text, slices: PARTS.map((name) => ({ point: `${part}.${name}`, at: { head } })) });
      if (asked !== this.asked) return; // the reader has gone on
      const matrix = ({ data }) => ({ values: decode(data), rows: shapeOf(data)[0], columns: shapeOf(data)[1] });
      [this.q, this.k, this.v, this.own] = found.slices.map(matrix);
      const plain = (token) => (token.trim() ? token.trim() : mark(token));
      this.told = found.tokens.map(plain);
      this.asking = this.across ? found.target_tokens.map(plain) : this.told;
      while (this.asking.length < this.q.rows) this.asking.push("…");
      this.problem.textContent = "";
      this.work();
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  work() {
    const { q, k, v, state } = this;
    if (!q) return;
    state.query = Math.min(state.query, q.rows - 1);
    state.key = Math.min(state.key, k.rows - 1);
    state.unit = Math.min(state.unit, q.columns - 1);
    this.products = productsOf(q, k);
    const hidden = this.causal && state.mask;
    this.s = scoresOf(this.products, state.scale ? Math.sqrt(q.columns) : 1, (i, j) => !hidden || j <= i);
    this.a = weightsOf(this.s);
    this.z = sumsOf(this.a, v);
    this.over = {};
    this.draw();
    this.figure.changed();
  }

  draw() {
    if (!this.q) return;
    const { q, k, v, s, a, z, maps, labels } = this;
    const { query, key, unit } = { ...this.state, ...this.over };
    this.room = this.sheets.clientWidth;
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const beside = this.room > 1000 * scale && 2 * (84 * scale + q.columns * 7 + k.rows * 16) < this.room;
    const room = (beside ? (this.room - 40 * scale) / 2 : this.room) - 10;
    const label = Math.min(88 * scale, room * 0.18);
    const high = present() ? (0.5 * innerHeight) / (q.columns + 2.5 * q.rows) : Infinity; // what a projector shows at once
    const small = Math.max(2, Math.min(9 * scale, high, Math.floor(((room - label) / (q.columns + 2.2 * k.rows)) * 2) / 2)); // of a component
    const large = Math.max(4, Math.min(22 * scale, 2.5 * high, (room - label - q.columns * small) / k.rows)); // of a token
    this.sheets.classList.toggle("beside", beside);
    this.sheets.style.setProperty("--label", `${label}px`);
    this.sheets.style.setProperty("--token", `${large}px`);
    this.sheets.style.setProperty("--across", `${k.rows * large}px`);
    maps.q.show(q, { wide: small, high: large, row: query });
    maps.k.show(k, { wide: large, high: small, row: key });
    maps.s.show(s, { wide: large, high: large, row: query, column: key, cell: true });
    maps.a.show(a, { wide: large, high: large, row: query });
    maps.v.show(v, { wide: small, high: large, column: unit });
    maps.z.show(z, { wide: small, high: large, row: query, column: unit, cell: true });
    const root = this.state.scale ? ` / √${q.columns}` : "";
    this.name("q", [letter("query", "Q")], q, "query × component");
    this.name("k", [letter("key", "K"), "ᵀ"], { ...k, rows: k.columns, columns: k.rows }, "component × key");
    this.name("s", [letter("query", "Q"), letter("key", "K"), `ᵀ${root}`], s, "query × key");
    this.name("a", [letter("attention", "A"), " = softmax"], a, "query × key");
    this.name("v", [letter("value", "V")], v, "key × component");
    this.name("z", [letter("attention", "A"), letter("value", "V")], z, "query × component");
    const tokens = (host, list, chosen, most) => host.replaceChildren(...list.map((text, n) => make("span", { class: n === chosen ? "chosen" : "", title: text }, make("span", {}, cut(text, most)))));
    const most = Math.floor((label - 6) / (6.9 * scale));
    for (const name of ["q", "a"]) tokens(labels[name], this.asking, query, most);
    tokens(labels.v, this.told, key, most);
    for (const name of ["s", "under"]) tokens(labels[name], this.told, key, 8);
    this.fill(this.heads, Array.from({ length: this.about.config.num_heads }, (_, n) => String(n)), this.state.head);
    this.fill(this.queries, this.asking.map((text, n) => `${n} ${text}`), query);
    this.fill(this.keys, this.told.map((text, n) => `${n} ${text}`), key);
    this.fill(this.units, Array.from({ length: q.columns }, (_, n) => String(n)), unit);
    for (const map of Object.values(maps)) map.canvas.setAttribute("aria-label", `${map.name} (${map.down}, ${map.acrossCount}), ${map.weights ? "0…1" : `± ${short(map.limit)}`}`);
    this.say(query, key, unit);
  }

  fill(list, texts, chosen) {
    if (list.options.length !== texts.length || texts.some((text, n) => list.options[n].textContent !== text)) list.replaceChildren(...texts.map((text, n) => make("option", { value: String(n) }, text)));
    list.value = String(chosen);
  }

  name(name, title, { rows, columns }, axes) {
    const range = name === "a" ? "0…1" : `± ${short(this.maps[name].limit)}`;
    this.names[name].replaceChildren(make("b", {}, ...title), " ", make("span", { class: "num" }, `(${rows}, ${columns})`), make("span", { class: "quiet" }, `${axes.split(" × ").map((axis) => t(axis)).join(" × ")}, `, make("span", { class: "num" }, range)));
  }

  /** One number of each matrix, worked out. */
  say(i, j, u) {
    const { q, k, v, a, s, z, products, state } = this;
    const [asks, told] = [this.asking[i], this.told[j]];
    const [one, two] = [rowOf(q, i), rowOf(k, j)];
    const spelled = (terms, hues) => {
      const { first, rest, others } = largestTerms(terms, SPELLED);
      const nodes = first.flatMap(({ x, y }, n) => [n ? " + " : "", number(x, hues[0]), " · ", number(y, hues[1])]);
      return others ? [...nodes, " + ", make("span", { class: "quiet" }, t("{n} others", { n: others })), " ", number(rest)] : nodes;
    };
    const line = (title, ...nodes) => make("p", {}, make("span", { class: "quiet attention-step" }, title), make("span", {}, ...nodes));
    const at = i * k.rows + j;
    const product = products.values[at];
    const score = s.values[at];
    const row = rowOf(s, i);
    const most = Math.max(...row);
    const sum = row.reduce((all, value) => all + Math.exp(value - most), 0);
    const hidden = score === -Infinity;
    const lines = [
      line(t("“{query}” meets “{key}”", { query: asks, key: told }), letter("query", "q"), " · ", letter("key", "k"), " = ", ...spelled(Array.from(one, (x, n) => ({ x, y: two[n], value: x * two[n] })), ["query", "key"]), " = ", make("b", {}, number(product))),
      hidden
        ? line(t("the key is hidden"), "−∞")
        : line(t("score"), ...(state.scale ? [number(product), ` / √${q.columns} = `] : []), make("b", {}, number(score))),
      line(t("weight"), hidden ? "exp(−∞) = 0" : make("span", {}, "exp(", number(score), " − ", number(most), ") / ", number(sum), " = "), make("b", {}, hidden ? "" : number(a.values[at], "attention"))),
      line(t("component {unit} of what “{query}” gets", { unit: u, query: asks }), ...spelled(Array.from(rowOf(a, i), (x, n) => ({ x, y: v.values[n * v.columns + u], value: x * v.values[n * v.columns + u] })), ["attention", "value"]), " = ", make("b", {}, number(z.values[i * v.columns + u])), make("span", { class: "quiet" }, ` · ${t("the network has {value}", { value: short(this.own.values[i * v.columns + u]) })}`)),
      make("p", { class: "quiet" }, t("Variance of a number of Q {q}, of K {k}, of a product {p}, of a score {s}. Largest weight of a row, on average: {sharp}.", { q: short(varianceOf(q.values)), k: short(varianceOf(k.values)), p: short(varianceOf(products.values)), s: short(varianceOf(s.values)), sharp: this.sharp().toFixed(2) })),
    ];
    this.sums.replaceChildren(...lines);
  }

  sharp() {
    let sum = 0;
    for (let i = 0; i < this.a.rows; i++) sum += Math.max(...rowOf(this.a, i));
    return sum / this.a.rows;
  }

  values() {
    if (!this.a) return {};
    const { q, k, s, a, z, products, state: { query, key, unit } } = this;
    const at = query * k.rows + key;
    return { T: q.rows, S: k.rows, d: q.columns, query, key, unit, product: products.values[at], score: s.values[at], weight: a.values[at], output: z.values[query * z.columns + unit], largest: Math.max(...rowOf(a, query)), sharp: this.sharp() };
  }
}
