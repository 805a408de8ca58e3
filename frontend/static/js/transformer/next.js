/**
 * What comes next after the chosen token, and what came there before the reader changed anything:
 * green bars, a thin mark where each token stood, the difference with its sign.
 */

import { hue, sequential } from "../color.js";
import { escaped, paper } from "../exports.js";
import { full, make, percent, short, t } from "../words.js";
import { bare, labelOf, spellingOf, told } from "./labels.js";
import { divergence, largest } from "./measures.js";
import { Outcome, changes, otherwise } from "./otherwise.js";
import { provide, titleOf } from "./saver.js";
import { PLAIN } from "./store.js";
import { View } from "./view.js";

const ROWS = 10;
const TAIL = 24; // characters of what stands before

/** @typedef {{token: string, id: number, now: number, before: number|null}} Row */

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  return new NextTokens(store, element);
}

class NextTokens extends View {
  constructor(store, host) {
    super(store, host);
    this.outcome = new Outcome(store);
    this.symbols = new Map(); // id -> token, of all that was ever told here
    /** @type {Row[]} */ this.rows = [];
    this.build();
    for (const type of ["read", "select"]) store.addEventListener(type, () => this.refresh());
    provide("next", { figure: () => this.figure(), rows: () => this.table() });
    this.refresh();
  }

  build() {
    this.after = make("p", { class: "next-after" });
    this.told = make("p", { class: "note next-change", role: "status" });
    this.buttons = Array.from({ length: ROWS }, (_, k) => {
      const label = make("b", { class: "token-label" });
      const bar = make("i", { class: "chance" });
      const before = make("i", { class: "drawn" });
      const share = make("span", { class: "num" });
      const change = make("span", { class: "num change" });
      const node = make("button", { type: "button", class: "next-token" }, label, make("span", { class: "track" }, bar, before), share, change);
      node.addEventListener("click", () => this.take(this.rows[k]));
      return { node, label, bar, before, share, change };
    });
    this.list = make("ol", { class: "next-tokens" }, ...this.buttons.map(({ node }) => make("li", { hidden: true }, node)));
    this.host.append(this.after, this.list, this.told);
  }

  /** Where the distribution stands, in the answer of the server or as a slice. */
  async load() {
    const { store, outcome } = this;
    if (!store.reading) return;
    const place = outcome.place;
    const edited = changes(store.state.edits);
    const here = outcome.slice;
    const wanted = edited ? here : { ...here, top: ROWS };
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.host.classList.add("pending");
    const top = edited ? [wanted, { ...here, top: ROWS }] : [wanted];
    const found = await store.slices(top, this);
    if (!found || abort.signal.aborted) return;
    let rows;
    let gap = null;
    if (!edited) rows = this.likeliest(found[0]);
    else {
      const then = await this.without(here, abort.signal);
      if (!then || abort.signal.aborted) return;
      this.likeliest(found[1]);
      rows = this.compared(found[0].data, then[0].data);
      gap = divergence(then[0].data, found[0].data);
    }
    this.show(rows, gap, place);
  }

  /** The whole distribution without any change, and its likeliest tokens. */
  async without(here, signal) {
    const slices = [here, { ...here, top: ROWS }];
    try {
      const found = await otherwise(this.store, PLAIN, slices, signal);
      this.likeliest(found[1]);
      return found;
    } catch (error) {
      this.store.fail(error, signal);
      return null;
    }
  }

  /** @returns {Row[]} */
  likeliest({ tokens, ids, data }) {
    return tokens.map((token, k) => {
      this.symbols.set(ids[k], token);
      return { token, id: ids[k], now: data[k], before: null };
    });
  }

  /** The tokens that are, or were, likeliest; the likeliest now first. @returns {Row[]} */
  compared(now, before) {
    const most = now.map((chance, id) => Math.max(chance, before[id]));
    return largest(most, 4 * ROWS)
      .filter((id) => this.symbols.has(id))
      .slice(0, ROWS)
      .map((id) => ({ token: this.symbols.get(id), id, now: now[id], before: before[id] }))
      .sort((a, b) => b.now - a.now);
  }

  show(rows, gap, place) {
    const { store, outcome } = this;
    const decoder = outcome.prefix === "decoder.";
    const tokens = decoder ? store.queries("decoder") : store.reading.tokens;
    Object.assign(this, { rows, gap, place, decoder, tokens });
    this.read = tokens[place];
    this.truth = decoder ? store.reading.target?.ids[place] : store.reading.ids[place + 1];
    this.before = textOf(tokens.slice(decoder ? 1 : 0, place + 1));
    this.host.classList.remove("pending");
    this.wake();
  }

  restyle() {
    this.wake();
  }

  draw() {
    const { rows, gap } = this;
    if (!rows.length) return;
    const pieces = spellingOf(this.tokens);
    this.after.textContent = this.before ? t("after “{words}”", { words: this.before }) : t("as the first token");
    const { css } = sequential(hue("y"));
    this.buttons.forEach(({ node, label, bar, before, share, change }, k) => {
      const row = rows[k];
      node.parentElement.hidden = !row;
      if (!row) return;
      label.textContent = labelOf(row.token, this.read, pieces);
      bar.style.transform = `scaleX(${row.now})`;
      bar.style.background = css[Math.round(90 + 130 * row.now)];
      share.textContent = percent(row.now);
      const by = row.before === null ? null : row.now - row.before;
      before.hidden = by === null;
      before.style.left = `${100 * (row.before ?? 0)}%`;
      change.textContent = by === null ? "" : points(by);
      change.classList.toggle("more", by > 0.0005);
      change.classList.toggle("less", by < -0.0005);
      const truth = row.id === this.truth;
      node.classList.toggle("truth", truth);
      const facts = [percent(row.now)];
      if (by !== null) facts.push(t("before your changes {share}", { share: percent(row.before) }));
      if (truth) facts.push(t("this one really comes next"));
      node.setAttribute("aria-label", `${told(row.token)}: ${facts.join(", ")}`);
      node.title = by === null ? full(row.now) : `${full(row.before)} → ${full(row.now)}`;
      node.disabled = !this.writes;
    });
    this.host.classList.toggle("compared", gap !== null);
    this.told.textContent = gap === null ? (this.writes ? t("Choose one and the text goes on with it.") : "") : t("Your changes moved it by {nats} nats (KL divergence from what it was).", { nats: gap < 5e-7 ? "0" : short(gap) });
    this.told.title = gap === null ? "" : full(gap);
  }

  /** A token can be written after the chosen one. */
  get writes() {
    return this.store.about.tasks.includes("generate") && !this.store.state.edits.order.length;
  }

  /** Go on with a token: what stands after the chosen one is given up. */
  take({ token }) {
    const { store } = this;
    const [, stop] = store.reading.spans[store.query];
    const kept = Array.from(store.reading.text).slice(0, stop).join("");
    store.set({ text: kept + token, query: -1 });
  }

  figure() {
    const rows = [...this.rows].reverse();
    const pieces = spellingOf(this.tokens);
    const y = rows.map(({ token }) => escaped(labelOf(token, this.read, pieces)));
    const bars = [{ type: "bar", orientation: "h", name: t("now"), x: rows.map(({ now }) => now), y, marker: { color: hue("y") } }];
    if (this.gap !== null) bars.push({ type: "scatter", mode: "markers", name: t("before your changes"), x: rows.map(({ before }) => before), y, marker: { symbol: "line-ns-open", size: 14, color: "#888888" } });
    const title = titleOf(this.store, `${t("What comes next")}, ${this.after.textContent}`);
    return { data: bars, layout: { ...paper(title, 640, 420), yaxis: { type: "category", automargin: true }, xaxis: { range: [0, 1], tickformat: ".0%" }, showlegend: this.gap !== null } };
  }

  table() {
    return [["token", "token_id", "probability", "probability_before_changes"], ...this.rows.map(({ token, id, now, before }) => [token, id, now, before ?? ""])];
  }
}

/** The end of a text of tokens. */
function textOf(tokens) {
  const characters = Array.from(tokens.map(bare).join("").trimStart().replaceAll("\n", "↵"));
  return characters.length > TAIL ? `…${characters.slice(-TAIL).join("")}` : characters.join("");
}

/** A difference of probabilities in percentage points, with its sign. */
function points(by) {
  const value = 100 * by;
  const size = Math.abs(value);
  if (size < 0.05) return "±0";
  return `${value > 0 ? "+" : "−"}${size < 9.95 ? size.toFixed(1) : size.toFixed(0)}`;
}
