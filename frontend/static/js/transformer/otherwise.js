/** The same text read with other edits, and what comes out of it there. */

import * as api from "../api.js";
import { divergence, moved } from "./measures.js";
import { sliced } from "./sliced.js";

/**
 * Slices of the text as it is, read with `edits`; the store's reading stays what it is.
 * @param {import("./store.js").Store} store @param {object} edits
 * @param {import("./store.js").Slice[]} slices @returns {Promise<import("./sliced.js").Sliced[]>}
 */
export async function otherwise(store, edits, slices, signal) {
  const { wish, target: written } = store.reading;
  // What a translator wrote without changes is what it reads with them.
  const { text, target = null } = { ...wish, target: wish.target ?? written?.ids };
  const name = JSON.stringify(["otherwise", text, target, edits, slices]);
  const kept = store.memory.get(name);
  if (kept) return kept;
  const answer = await api.slices(store.about.id, { text, target, edits, slices }, signal);
  const found = answer.slices.map(sliced);
  store.memory.put(name, found, found.reduce((sum, { data }) => sum + data.byteLength, 256));
  return found;
}

/** Has the reader changed anything? */
export function changes({ heads_off, blocked, positions, order }) {
  return heads_off.length > 0 || blocked.length > 0 || !positions || order.length > 0;
}

/** Switch a head off, or on again. @param {string} name  e.g. `blocks.2.5`; else the opened one */
export function switchHead(store, name = store.headName(store.state.layer, store.state.head)) {
  const { edits } = store.state;
  const off = edits.heads_off.includes(name) ? edits.heads_off.filter((other) => other !== name) : [...edits.heads_off, name];
  store.set({ edits: { ...edits, heads_off: off.sort() } });
}

/** The stack that predicts tokens, as its points' names begin; null: none does. */
export function predictor({ about }) {
  const point = about.points.findLast(({ name }) => name.endsWith(".lens"));
  return point ? /^[a-z]*\.?(?=blocks)/.exec(point.name)[0] : null;
}

/**
 * What a change is measured by: the probabilities of the next token at a place, or, where nothing
 * predicts tokens, what the last layer puts out.
 */
export class Outcome {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.prefix = predictor(store);
    this.step = 0; // of a decoder, while its encoder is looked at
  }

  /** Probabilities are compared. */
  get predicts() {
    return this.prefix !== null;
  }

  /** The place that is compared; of a stack that predicts nothing, all places. */
  get place() {
    const { store } = this;
    if (store.translates && store.state.stack === "encoder") return Math.min(this.step, Math.max(0, store.queries("decoder").length - 1));
    this.step = store.query;
    return this.step;
  }

  /** @returns {import("./store.js").Slice} */
  get slice() {
    const { prefix, store } = this;
    const last = store.layers(prefix === "decoder." ? "decoder" : store.stacks[0]) - 1;
    if (!this.predicts) return { point: `${store.stacks[0]}blocks.${last}.residual` };
    return { point: `${prefix}blocks.${last}.lens`, at: { time: this.place } };
  }

  /** How far `after` is from `before`: nats, or a share of the size. @param {import("./sliced.js").Sliced} before */
  change(before, after, order = []) {
    if (this.predicts) return divergence(before.data, after.data);
    return moved(before.data, after.data, before.shape[1], order);
  }
}
