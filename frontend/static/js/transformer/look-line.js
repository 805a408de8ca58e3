/**
 * The sum behind one look, on a line: the largest products of a query and a key, what all of them
 * come to, and the score. It follows the pointer; the microscope has the whole of a chosen row.
 */

import { full, make, percent, short, t } from "../words.js";
import { products } from "./look.js";

const REST = 60; // ms on a cell before its query and key are fetched
const TERMS = 2; // products that are written out

const letter = (name, text, index) => make("i", { class: `q q-${name}` }, text, make("sub", {}, index));
const colored = (name, value) => make("span", { class: `num q-${name}`, title: full(value) }, value < 0 ? `(${short(value)})` : short(value));
const number = (value) => make("span", { class: "num", title: full(value) }, short(value));

export class LookLine {
  /** @param {import("./store.js").Store} store @param {() => void} onLoad  numbers have come */
  constructor(store, onLoad) {
    Object.assign(this, { store, onLoad });
    this.node = make("p", { class: "look-line", role: "math" });
  }

  /** The query and the key of a cell. */
  wanted(query, key) {
    const { store } = this;
    const { layer, head } = store.state;
    return [
      { point: store.point("q", layer), at: { head, query } },
      { point: store.point("k", layer), at: { head: store.keyHead(head), key } },
    ];
  }

  /** @param {number} query @param {number} key  -1: nothing is shown @param {number|null} weight */
  show(query, key, weight = null) {
    clearTimeout(this.timer);
    const wanted = query >= 0 && key >= 0 ? this.wanted(query, key) : null;
    const found = wanted && this.store.here(wanted);
    if (found) return this.write(found[0].data, found[1].data, weight);
    this.node.replaceChildren();
    if (!wanted) return;
    this.timer = setTimeout(async () => (await this.store.slices(wanted, this)) && this.onLoad(), REST);
  }

  /** @param {Float32Array} q @param {Float32Array} k */
  write(q, k, weight) {
    const each = products({ q, k, units: q.length }, 0);
    const sum = each.reduce((total, value) => total + value, 0);
    const order = Array.from(each, (_, u) => u).sort((a, b) => Math.abs(each[b]) - Math.abs(each[a]));
    const terms = order.slice(0, TERMS).flatMap((u) => [colored("query", q[u]), "·", colored("key", k[u]), " + "]);
    const rest = each.length - TERMS;
    this.node.replaceChildren(
      make("span", {}, letter("query", "q", "i"), " · ", letter("key", "k", "j"), " ="),
      " ",
      make("span", {}, ...(rest > 0 ? [...terms, t("{n} more", { n: rest })] : terms.slice(0, -1)), " ="),
      " ",
      make("span", {}, make("b", {}, number(sum)), ` / √${q.length} = `, make("b", {}, number(sum / Math.sqrt(q.length)))),
      " ",
      ...(weight === null ? [] : [make("span", {}, "→ softmax → ", make("b", { class: "num q-attention" }, percent(weight)))]),
    );
  }
}
