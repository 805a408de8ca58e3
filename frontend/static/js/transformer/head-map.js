/**
 * The map of the opened head: every weight as a byte, exact rows where somebody looks, scores where
 * they are asked for. The heads beside it are fetched ahead, so that a step shows at once.
 *
 * Event `map`: there is another map, or none, or the one that is there is another head's (`stale`).
 */

import { valueOf } from "./sliced.js";

const MOST = 640; // cells a side; more tokens are pooled
const SCORED = 400; // tokens up to which the scores of all are fetched at once
const AHEAD = 60; // ms of rest before the neighbours are fetched

export class HeadMap extends EventTarget {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    super();
    this.store = store;
    this.quantity = store.kept("map") === "scores" ? "scores" : "attention";
    /** @type {import("./sliced.js").Sliced|null} */ this.map = null;
    this.stale = false; // the map of the opened head is on its way
    store.expect(() => [this.whole()]);
    store.addEventListener("read", () => this.fetch());
    store.addEventListener("select", () => this.fetch());
  }

  /** All weights of a head, as bytes. */
  whole({ stack, layer, head } = this.store.state) {
    return { point: this.store.point("attention", layer, stack), at: { head }, form: "u1", size: MOST };
  }

  /** A row with its real numbers. @param {"attention"|"scores"} quantity */
  exact(query, quantity = this.quantity, { stack, layer, head } = this.store.state) {
    return { point: this.store.point(quantity, layer, stack), at: { head, query } };
  }

  /** All of a head in real numbers. */
  real({ stack, layer, head } = this.store.state) {
    return { point: this.store.point(this.quantity, layer, stack), at: { head } };
  }

  /** Scores are fetched whole, where they are not too many. */
  get scorable() {
    return this.store.queries().length <= SCORED;
  }

  get showsScores() {
    return this.quantity === "scores" && this.scorable;
  }

  show(quantity) {
    this.quantity = quantity === "scores" ? "scores" : "attention";
    this.store.keep("map", this.quantity);
    this.fetch();
  }

  /** What a head is shown by: its map, and weights for the arcs. */
  wanted(place = this.store.state) {
    return this.showsScores ? [this.real(place), this.whole(place)] : [this.whole(place)];
  }

  async fetch() {
    clearTimeout(this.timer);
    const { store } = this;
    if (!store.reading) return this.become(null);
    const wanted = this.wanted();
    const found = store.here(wanted);
    if (found) return this.become(found[0]);
    this.stale = true;
    this.dispatchEvent(new Event("map"));
    const [map] = (await store.slices(wanted, this)) ?? [];
    if (map && JSON.stringify(wanted) === JSON.stringify(this.wanted())) this.become(map);
  }

  become(map) {
    this.map = map;
    this.stale = false;
    this.dispatchEvent(new Event("map"));
    if (map) this.timer = setTimeout(() => this.ahead(), AHEAD);
  }

  /** The heads before and after, and those above and below. */
  ahead() {
    const { store } = this;
    const { layer, head, stack } = store.state;
    const beside = [[layer, head - 1], [layer, head + 1], [layer - 1, head], [layer + 1, head]]
      .filter(([l, h]) => l >= 0 && h >= 0 && l < store.layers() && h < store.heads)
      .flatMap(([l, h]) => this.wanted({ stack, layer: l, head: h }))
      .filter((slice) => !store.here([slice]));
    if (beside.length && store.reading) store.slices(beside);
  }

  /** Sizes in tokens. */
  get queries() {
    return this.store.queries().length;
  }

  get keys() {
    return this.store.keys().length;
  }

  /** May a query look at a key at all? */
  allowed(query, key) {
    const { store } = this;
    if (store.causal() && key > query) return false;
    return !store.blocked().some(([first, stop, left, right]) => query >= first && query < stop && key >= left && key < right);
  }

  /** Is there a map of what is opened? One of other sizes is none. */
  get there() {
    const { map } = this;
    const cells = (tokens) => Math.ceil(tokens / (map?.pooled ?? 1));
    return Boolean(map) && map.shape[0] === cells(this.queries) && map.shape[1] === cells(this.keys);
  }

  /** The number of a cell, and whether it is exact. @returns {{value: number, exact: boolean}|null} */
  at(query, key) {
    const { map, store } = this;
    if (!this.there || this.stale || query < 0 || key < 0 || query >= this.queries || key >= this.keys) return null;
    if (map.data instanceof Float32Array) return { value: map.data[query * this.keys + key], exact: true };
    const [row] = store.here([this.exact(query, "attention")]) ?? [];
    if (row) return { value: row.data[key], exact: true };
    const { pooled, shape } = map;
    return { value: valueOf(map, map.data[Math.floor(query / pooled) * shape[1] + Math.floor(key / pooled)]), exact: false };
  }

  /** Weights of a row, as exact as they are here; null where there are none. @returns {ArrayLike<number>|null} */
  row(query) {
    const { map, store } = this;
    if (!this.there || query < 0 || query >= this.queries) return null;
    const [row] = store.here([this.exact(query, "attention")]) ?? [];
    if (row) return row.data;
    const bytes = map.data instanceof Uint8Array ? map : store.here([this.whole()])?.[0];
    if (!bytes) return null;
    const { pooled, shape } = bytes;
    const base = Math.floor(query / pooled) * shape[1];
    return Float32Array.from({ length: this.keys }, (_, key) => valueOf(bytes, bytes.data[base + Math.floor(key / pooled)]));
  }

  /** Fetch the real numbers of a row. Resolves true once they are here. */
  async refine(query, owner) {
    if (query < 0 || query >= this.queries) return false;
    const wanted = [this.exact(query, "attention")];
    if (this.store.here(wanted)) return true;
    return Boolean(await this.store.slices(wanted, owner));
  }
}

/** The place of the largest number. */
export function strongest(row) {
  let best = 0;
  for (let k = 1; k < row.length; k++) if (row[k] > row[best]) best = k;
  return best;
}
