/**
 * The logit lens as a table: a column a token, a row a layer, the embedding at the bottom. A cell
 * holds the token that would be predicted if the stack ended there, coloured by its probability.
 * Only the columns in sight are made and asked for.
 */

import { attentionRamp, hue, inkOn, sequential } from "../color.js";
import { make, percent, t } from "../words.js";
import { labelOf, labelsOf, spellingOf, told } from "./labels.js";
import { StreamLooks } from "./stream-looks.js";
import { StreamSizes } from "./stream-sizes.js";
import { TopTokens } from "./top-tokens.js";
import { lensFigure, lensRows } from "./lens-figures.js";
import { View } from "./view.js";

const CHUNK = 16; // columns asked for at a time
const TOP = 5;
const NARROWEST = 2; // characters of a column
const WIDEST = 9;
const MARGIN = 2; // columns beside those in sight

export class LensTable extends View {
  /** @param {string} prefix  of the stack's points: "" or "decoder." */
  constructor(store, host, prefix) {
    super(store, host);
    this.prefix = prefix;
    this.stack = prefix ? "decoder" : "";
    this.layers = store.layers(this.stack);
    this.onward = store.causal(this.stack); // it predicts what comes next; else what stands there
    this.build();
    this.sizes = new StreamSizes(this.profile, { store, prefix, layers: this.layers, onLoad: () => this.wake() });
    this.looks = new StreamLooks(store, prefix, () => this.wake());
    this.clear();
    this.listen();
    this.refresh();
  }

  build() {
    this.low = make("span", { class: "num" }, "0");
    this.bar = make("span", { class: "bar" });
    this.readout = make("output", { class: "readout num" });
    this.gutter = make("div", { class: "lens-gutter", "aria-hidden": "true" });
    this.sheet = make("div", { class: "lens-sheet", role: "grid", "aria-label": t("lens: layers by tokens. Arrows move.") });
    this.scroller = make("div", { class: "lens-scroll" }, this.sheet);
    this.profile = make("div", { class: "stream-sizes" });
    this.top = new TopTokens(5);
    this.heading = make("h3", { class: "lens-cell" });
    this.line = make("p", { class: "note" });
    const key = make("span", { class: "lens-key" }, make("i", { class: "lens-truth-key" }), this.onward ? t("from here on the first choice is the token that really comes next") : t("from here on the first choice is the token that stands there"));
    this.looksBar = make("span", { class: "bar" });
    const looks = make("span", { class: "scale" }, make("span", { class: "num" }, "0"), this.looksBar, make("span", { class: "num" }, "1"), make("span", {}, t("how much the chosen token looks there in that layer")));
    this.host.append(
      make("header", { class: "lens-head" }, make("span", { class: "scale" }, this.low, this.bar, make("span", { class: "num" }, "1"), make("span", {}, t("probability of the first choice"))), key, looks),
      make("div", { class: "lens-body" }, this.gutter, this.scroller, this.profile),
      make("div", { class: "lens-foot" }, make("div", {}, this.heading, this.line), this.top.node),
    );
  }

  listen() {
    const { store, scroller, sheet } = this;
    store.addEventListener("read", () => this.refresh());
    store.addEventListener("select", () => {
      this.reveal();
      this.wake();
    });
    store.addEventListener("hover", () => this.wake());
    scroller.addEventListener("scroll", () => {
      this.ask();
      this.wake();
    });
    const at = (event) => {
      const cell = event.target.closest?.(".lens-column > *");
      return cell ? [Number(cell.parentElement.dataset.t), Number(cell.dataset.l)] : null;
    };
    sheet.addEventListener("pointerover", (event) => {
      const place = at(event);
      if (!place) return;
      this.over = place;
      store.hoverAt(this.queries ? place[0] : -1);
      this.wake();
    });
    sheet.addEventListener("pointerleave", () => {
      this.over = null;
      store.hoverAt();
      this.wake();
    });
    sheet.addEventListener("click", (event) => {
      const place = at(event);
      if (place) this.choose(...place);
    });
    sheet.addEventListener("keydown", (event) => this.key(event));
  }

  /** @returns {import("./saver.js").Saved} */
  get saved() {
    return { figure: () => lensFigure(this), rows: () => lensRows(this), ready: () => this.whole() };
  }

  /** Are the tokens of the table those that look, on the rest of the page? */
  get queries() {
    return this.store.state.stack !== "encoder";
  }

  choose(time, layer) {
    const { store } = this;
    this.row = layer;
    store.set(layer >= 0 ? { query: time, key: -1, layer } : { query: time, key: -1 });
    this.wake();
  }

  key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [time, layer] = this.chosen;
    this.focusing = true;
    this.choose(Math.max(0, Math.min(this.length - 1, time + by[0])), Math.max(-1, Math.min(this.layers - 1, layer + by[1])));
  }

  /** The chosen cell: token and layer; -1 is the embedding. */
  get chosen() {
    const { layer } = this.store.state;
    return [this.store.query, this.row === -1 ? -1 : layer];
  }

  get shown() {
    const { hover } = this.store;
    if (this.over) return this.over;
    return hover.query >= 0 && hover.query < this.length ? [hover.query, this.chosen[1]] : this.chosen;
  }

  // What is known.

  clear() {
    /** @type {Map<number, {tokens: string[][], chances: Float32Array, ids: number[]}>} by token */
    this.known = new Map();
    this.asked = new Set();
    this.length = 0;
    for (const column of this.sheet.querySelectorAll(".lens-column")) column.remove();
    this.columns = new Map();
  }

  load() {
    const { store } = this;
    const { reading } = store;
    this.clear();
    this.row = undefined;
    this.reading = reading;
    if (!reading) return;
    const { target } = reading;
    this.read = this.stack ? (target?.inputs ?? []) : reading.tokens;
    this.length = this.read.length;
    // Row i of a decoder writes token i; a language model's predicts the token after.
    const { tokens, ids } = this.stack ? (target ?? { tokens: [], ids: [] }) : reading;
    const from = this.onward && !this.stack ? 1 : 0;
    this.truth = Array.from({ length: this.length }, (_, k) => ids[k + from] ?? -1);
    this.truthTokens = tokens.slice(from);
    this.spelling = spellingOf(this.read);
    this.labels = labelsOf(this.read);
    const widths = this.labels.map((label) => Array.from(label).length).sort((a, b) => a - b);
    this.characters = Math.max(NARROWEST, Math.min(WIDEST, widths[Math.floor(widths.length * 0.9)] ?? 0));
    this.sizes.clear();
    this.looks.clear();
    this.label();
    this.measure();
    this.reveal();
    this.ask();
    this.wake();
  }

  measure() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const beside = getComputedStyle(this.host.querySelector(".lens-body")).gridTemplateColumns.split(" ").map(parseFloat);
    const room = this.host.clientWidth - beside[0] - (beside[2] ?? 0) - 1;
    const narrow = (this.characters * 0.48 + 0.75) * rem;
    // A short text takes the place that there is.
    this.columnWidth = Math.max(narrow, Math.min(6.5 * rem, this.length ? room / this.length : narrow));
    this.sheet.style.width = `${this.columnWidth * this.length}px`;
    this.sheet.style.setProperty("--lens-column", `${this.columnWidth}px`);
    this.sheet.setAttribute("aria-rowcount", String(this.length));
  }

  resize() {
    if (this.length) this.measure();
    for (const [time, column] of this.columns) column.style.left = `${time * this.columnWidth}px`;
    this.ask();
    this.wake();
  }

  restyle() {
    this.painted = null;
    this.resize();
  }

  /** Columns in sight, [from, to). */
  get sight() {
    const { scroller, columnWidth, length } = this;
    const from = Math.floor(scroller.scrollLeft / columnWidth) - MARGIN;
    const to = Math.ceil((scroller.scrollLeft + scroller.clientWidth) / columnWidth) + MARGIN;
    return [Math.max(0, from), Math.min(length, to)];
  }

  /** The chosen column into sight. */
  reveal() {
    const { scroller, columnWidth, length } = this;
    if (!length || !this.queries) return;
    const x = this.store.query * columnWidth;
    if (x < scroller.scrollLeft) scroller.scrollLeft = Math.max(0, x - columnWidth);
    else if (x + columnWidth > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = x + 2 * columnWidth - scroller.clientWidth;
  }

  /** Ask for what is in sight and not known yet. */
  ask() {
    if (!this.length || !this.seen) return;
    const [from, to] = this.sight;
    for (let chunk = Math.floor(from / CHUNK); chunk * CHUNK < to; chunk++) {
      if (this.asked.has(chunk)) continue;
      this.asked.add(chunk);
      this.fetch(chunk);
    }
  }

  async fetch(chunk) {
    const { store, prefix, reading } = this;
    const span = [chunk * CHUNK, Math.min(this.length, (chunk + 1) * CHUNK)];
    const of = (name) => ({ point: `${prefix}${name}.lens`, at: { time: span }, top: TOP });
    const found = await store.slices([of("embedding"), of("blocks.*")]);
    if (reading !== this.reading) return;
    if (!found) return void this.asked.delete(chunk);
    const [embedding, blocks] = found;
    const width = embedding.shape.at(-1);
    const count = span[1] - span[0];
    for (let k = 0; k < count; k++) {
      // Row 0 is the embedding, row l + 1 the stream after block l.
      const rows = Array.from({ length: this.layers + 1 }, (_, row) => {
        const slice = row ? blocks : embedding;
        const start = ((row ? row - 1 : 0) * count + k) * width;
        const part = (list) => list.slice(start, start + width);
        return { tokens: part(slice.tokens), ids: part(slice.ids), chances: part(slice.data) };
      });
      this.known.set(span[0] + k, rows);
    }
    this.painted = null;
    this.wake();
  }

  /** Every column, for a file. */
  async whole() {
    for (let chunk = 0; chunk * CHUNK < this.length; chunk++) {
      if (this.asked.has(chunk) && this.known.has(chunk * CHUNK)) continue;
      this.asked.add(chunk);
      await this.fetch(chunk);
    }
  }

  /** From which layer on the first choice is the token that really comes next; null: never. */
  settled(time) {
    const rows = this.known.get(time);
    const truth = this.truth[time];
    if (!rows || truth === undefined || truth < 0) return null;
    let row = rows.length;
    while (row > 0 && rows[row - 1].ids[0] === truth) row--;
    return row < rows.length ? row - 1 : null;
  }

  // Drawing.

  draw() {
    if (!this.length) return;
    const ramp = sequential(hue("y"));
    if (this.ramp !== ramp) {
      this.ramp = ramp;
      this.painted = null;
      this.looks.restyle();
      const stops = (css, of) => `linear-gradient(90deg, ${Array.from({ length: 17 }, (_, k) => css[Math.round(255 * of(k / 16))]).join(", ")})`;
      this.bar.style.backgroundImage = stops(ramp.css, (share) => share);
      this.looksBar.style.backgroundImage = stops(attentionRamp().css, Math.sqrt);
    }
    this.label();
    const [from, to] = this.sight;
    for (const [time, column] of this.columns) {
      if (time >= from && time < to) continue;
      column.remove();
      this.columns.delete(time);
    }
    for (let time = from; time < to; time++) {
      if (!this.columns.has(time)) this.column(time);
      else if (this.painted === null) this.fill(this.columns.get(time), time);
    }
    this.painted = true;
    this.looks.paint(this.columns, this.shown[0], this.length);
    this.mark();
    this.tell();
  }

  /** Names of the rows. */
  label() {
    if (this.gutter.childElementCount) return;
    const names = Array.from({ length: this.layers }, (_, k) => t("layer {n}", { n: this.layers - 1 - k }));
    this.gutter.replaceChildren(...[this.onward ? t("really next") : t("stands there"), ...names, t("embedding"), t("reads")].map((name) => make("span", {}, name)));
  }

  column(time) {
    const cells = Array.from({ length: this.layers + 1 }, (_, k) => {
      const layer = this.layers - 1 - k;
      return make("div", { class: "lens-cell-box", role: "gridcell", tabindex: "-1", "data-l": String(layer) });
    });
    const truth = make("b", { class: "lens-word truth", "data-l": String(this.layers - 1), "aria-hidden": "true" });
    const word = make("b", { class: "lens-word", role: "rowheader", "data-l": "-1" });
    const column = make("div", { class: "lens-column", role: "row", "data-t": String(time), "aria-rowindex": String(time + 1) }, truth, ...cells, word);
    column.style.left = `${time * this.columnWidth}px`;
    this.fill(column, time);
    // In the order of the tokens, for whoever reads the page in order.
    const after = [...this.columns.keys()].filter((other) => other > time).sort((a, b) => a - b)[0];
    this.sheet.insertBefore(column, after === undefined ? null : this.columns.get(after));
    this.columns.set(time, column);
  }

  fill(column, time) {
    const { read, ramp } = this;
    const [truth, ...rest] = column.children;
    rest.pop().textContent = this.labels[time];
    truth.textContent = this.truth[time] >= 0 ? this.word(this.truthTokens[time], time) : "";
    const rows = this.known.get(time);
    column.classList.toggle("pending", !rows);
    if (!rows) return;
    const settled = this.settled(time);
    rest.forEach((cell, k) => {
      const layer = this.layers - 1 - k;
      const { tokens, ids, chances } = rows[layer + 1];
      const fill = ramp.css[Math.round(255 * Math.min(1, chances[0]))];
      cell.textContent = this.word(tokens[0], time);
      cell.style.background = fill;
      cell.style.color = inkOn(fill);
      cell.classList.toggle("right", ids[0] === this.truth[time]);
      cell.classList.toggle("settles", settled === layer);
      cell.setAttribute("aria-label", t(this.onward ? "{layer}, after {word}: {choice}, {share}" : "{layer}, at {word}: {choice}, {share}", { layer: this.nameOf(layer), word: told(read[time]), choice: told(tokens[0]), share: percent(chances[0]) }));
    });
  }

  /** A predicted token as a label: after the one that was read, or in its place. */
  word(token, time) {
    return labelOf(token, this.read[this.onward ? time : time - 1], this.spelling);
  }

  nameOf(layer) {
    return layer < 0 ? t("embedding") : t("layer {n}", { n: layer });
  }

  /** What is chosen and what is pointed at. */
  mark() {
    const [time, layer] = this.chosen;
    const [overTime] = this.shown;
    for (const [k, column] of this.columns) {
      column.classList.toggle("chosen", k === time && this.queries);
      column.classList.toggle("over", k === overTime && k !== time);
      [...column.children].forEach((cell) => {
        if (cell.getAttribute("role") !== "gridcell") return;
        cell.classList.toggle("ahead", Number(cell.dataset.l) > layer);
        const here = k === time && Number(cell.dataset.l) === layer;
        if (cell.getAttribute("aria-selected") === String(here)) return;
        cell.setAttribute("aria-selected", String(here));
        cell.tabIndex = here ? 0 : -1;
        if (here && this.focusing) cell.focus({ preventScroll: true });
      });
    }
    this.focusing = false;
    [...this.gutter.children].forEach((name, k) => name.classList.toggle("chosen", this.layers - k === layer));
  }

  /** The cell that is pointed at, else the chosen one, in words; and the sizes at its token. */
  tell() {
    const [time, layer] = this.shown;
    const rows = this.known.get(time);
    this.sizes.show(time, layer);
    const facts = this.sizes.words(time, layer);
    const word = this.labels[time] ?? "";
    this.heading.textContent = `${this.nameOf(layer)}, ${this.onward ? t("after “{word}”", { word }) : t("at “{word}”", { word })}`;
    this.line.textContent = facts;
    if (!rows) return this.top.clear();
    const { tokens, ids, chances } = rows[layer + 1];
    this.top.show(Array.from(tokens, (token, k) => ({ label: this.word(token, time), chance: chances[k], truth: ids[k] === this.truth[time] })));
  }
}
