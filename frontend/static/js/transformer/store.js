/**
 * What the lab of a transformer shows, and what was read of it. Every view hangs from one store.
 *
 * `store.state`  what is chosen; frozen, changed by `set` alone:
 *     text          what is read
 *     stack         "" (a network of one stack), "encoder", "decoder", or "cross": the decoder
 *                   looking at the encoder's tokens
 *     layer, head   of that stack
 *     query, key    the token that looks (-1: the last; `store.query` says which) and the one that
 *                   is looked at (-1: the one it looks at most)
 *     edits         {heads_off: ["blocks.2.5"], blocked: [[0, 4, 2, 3]], positions, order}
 *     target        token ids that a translator's decoder is made to read; null: those it writes
 * `store.hover`     {query, key} under the pointer, -1: none; changed by `hoverAt`
 * `store.reading`   what the server read, or null: see reading.js
 * `store.busy`      a text is being read
 * `store.error`     an ApiError, or null
 * `store.brush`     null, or what a view does with a rectangle that is painted upon the opened
 *                   head's map: ([first query, after the last, first key, after the last]) => void
 *
 * Events: `select` (stack, layer, head, query or key has changed), `hover`, `read` (there is a new
 * reading, or none), `edit` (edits have changed; `read` follows), `state` (busy changed), `problem`.
 *
 *     store.set({ layer: 2, head: 5 })        tells `select`
 *     store.set({ edits: { ...store.state.edits, positions: false } })   reads again, tells `read`
 *     const [map] = (await store.slices([{ point: store.point("attention", 2), at: { head: 5 } }], this)) ?? [];
 *     if (!map) return;                       // the text has changed meanwhile, or this view has asked anew
 *     store.expect(() => [...])               slices to bring with every new reading: `slices` has them at once
 *     store.keep("lens", "4")                 a view's own part of the address; `store.kept("lens")`
 *
 * Requests of one turn go in one POST; while one is under way the next ones wait together. Answers
 * are remembered by text, edits and slice, the least recently used forgotten first.
 */

import * as api from "../api.js";
import { Memory } from "./memory.js";
import { Network } from "./network.js";
import { readingOf } from "./reading.js";
import { sliced } from "./sliced.js";
import { ADDRESS, addressOf, stateOf } from "./url-state.js";

/**
 * @typedef {object} Slice  as POST .../slices takes it
 * @property {string} point @property {Record<string, number|[number, number]>} [at]
 * @property {"f4"|"u1"} [form] @property {number} [size] @property {number} [top]
 */

const MOST_BYTES = 96 << 20;
const CHOSEN = ["stack", "layer", "head", "query", "key"];
export const PLAIN = Object.freeze({ heads_off: [], blocked: [], positions: true, order: [] });

export class Store extends Network {
  /** @param {{id: string, kind: string, config: object}} about */
  constructor(about) {
    super(about);
    /** @type {import("./reading.js").Reading|null} */ this.reading = null;
    this.hover = Object.freeze({ query: -1, key: -1 });
    this.brush = null;
    this.memory = new Memory(MOST_BYTES);
    this.expected = [];
    this.wishes = [];
    this.newest = new WeakMap(); // of each owner, what it asked last
    this.sending = null; // AbortController of what is under way
    const address = ADDRESS.read();
    this.own = { ...address };
    this.state = Object.freeze(this.within({ ...stateOf(address), text: address.text || about.prompt || "" }));
    this.saveAddress = ADDRESS.writer(() => ({ ...this.own, ...addressOf(this.state) }));
  }

  // What is changed.

  /** Rectangles that may not be looked at, of a stack: of a translator it is the look across. */
  blocked(stack = this.state.stack) {
    return !this.translates || stack === "cross" ? this.state.edits.blocked : [];
  }

  isOff(layer, head, stack = this.state.stack) {
    return this.state.edits.heads_off.includes(this.headName(layer, head, stack));
  }

  // What was read.

  /** Tokens that look, of a stack; across, those that are written meanwhile. @returns {string[]} */
  queries(stack = this.state.stack) {
    const { reading } = this;
    if (!reading) return [];
    if (stack === "cross") return reading.target.outputs;
    return stack === "decoder" ? reading.target.inputs : reading.tokens;
  }

  /** Tokens that are looked at. @returns {string[]} */
  keys(stack = this.state.stack) {
    const { reading } = this;
    if (!reading) return [];
    return stack === "decoder" ? reading.target.inputs : reading.tokens;
  }

  /** The token that looks: the chosen one, else the last; -1 where there is none. */
  get query() {
    const last = this.queries().length - 1;
    const { query } = this.state;
    return query < 0 || query > last ? last : query;
  }

  // What is chosen.

  set(changes) {
    const before = this.state;
    const wished = { ...changes };
    if ("text" in wished && wished.text !== before.text) {
      // Another text: what was written of the old one, and places in it, mean nothing here.
      if (!("target" in wished)) wished.target = null;
      if (!("edits" in wished)) wished.edits = { ...before.edits, blocked: [], order: [] };
      if (!("key" in wished)) wished.key = -1;
    }
    const state = (this.state = Object.freeze(this.within({ ...before, ...wished })));
    const edited = state.edits !== before.edits && JSON.stringify(state.edits) !== JSON.stringify(before.edits);
    const selected = CHOSEN.some((name) => state[name] !== before[name]);
    if (edited) this.tell("edit");
    if (edited || state.text !== before.text || state.target !== before.target) this.read();
    if (selected) this.tell("select");
    this.saveAddress();
  }

  /** The head before or after, over to the next layer at its end. */
  step(by) {
    const { layer, head } = this.state;
    const place = Math.max(0, Math.min(this.layers() * this.heads - 1, layer * this.heads + head + by));
    this.set({ layer: Math.floor(place / this.heads), head: place % this.heads });
  }

  /** The pointer is here; `hoverAt()` when it has left. */
  hoverAt(query = -1, key = -1) {
    if (query === this.hover.query && key === this.hover.key) return;
    this.hover = Object.freeze({ query, key });
    this.tell("hover");
  }

  /** Within what the network has. */
  within(state) {
    const stack = this.stacks.includes(state.stack) ? state.stack : this.stacks.at(-1);
    const clamp = (value, count) => Math.max(0, Math.min(count - 1, Math.round(value) || 0));
    const { order } = state.edits;
    const permutes = order.length === new Set(order).size && Math.max(-1, ...order) === order.length - 1;
    return {
      ...state,
      stack,
      layer: clamp(state.layer, this.layers(stack)),
      head: clamp(state.head, this.heads),
      query: Math.max(-1, Math.round(state.query)),
      key: Math.max(-1, Math.round(state.key)),
      edits: permutes ? state.edits : { ...state.edits, order: [] },
    };
  }

  /** A view's own part of the address; its name stands in url-state.js. */
  keep(name, value) {
    this.own[name] = value;
    this.saveAddress();
  }

  kept(name) {
    return this.own[name];
  }

  // Reading.

  /** @param {() => Slice[]} make  slices to bring with every reading */
  expect(make) {
    this.expected.push(make);
  }

  /** Read the text as it is to be read; what is under way for another text is given up. */
  async read() {
    this.reader?.abort();
    this.sending?.abort();
    this.sending = null;
    for (const wish of this.wishes.splice(0)) wish.resolve(null);
    const reader = (this.reader = new AbortController());
    this.problem(null);
    if (!this.state.text) return this.arrive(null);
    this.become(true);
    try {
      const { text, target, edits } = this.state;
      const wish = { text, target: this.translates ? target : null, edits };
      const key = JSON.stringify(wish);
      const wanted = this.missing(key, this.expected.flatMap((make) => make()));
      const answer = await api.slices(this.about.id, { ...wish, slices: wanted }, reader.signal);
      this.take(key, wanted, answer);
      this.arrive(readingOf(answer, wish, key, this.translates));
    } catch (error) {
      this.fail(error, reader.signal);
    }
  }

  arrive(reading) {
    this.reading = reading;
    this.become(false);
    this.tell("read");
    this.saveAddress();
  }

  // Slices.

  /**
   * Slices of what was read, or null: the text has changed meanwhile, the same owner has asked
   * anew, or it could not be had (`problem` tells).
   * @param {Slice[]} list @param {object} [owner]  who asks; only its newest request counts
   * @returns {Promise<import("./sliced.js").Sliced[]|null>}
   */
  slices(list, owner = null) {
    const { reading } = this;
    if (owner) {
      this.newest.set(owner, list);
      this.wishes = this.wishes.filter((wish) => wish.owner !== owner || wish.resolve(null));
    }
    if (!reading) return Promise.resolve(null);
    const found = this.found(reading.key, list);
    if (found) return Promise.resolve(found);
    return new Promise((resolve) => {
      this.wishes.push({ list, owner, resolve });
      this.wake();
    });
  }

  /** The same if they are here already, at once; else null. */
  here(list) {
    return this.reading ? this.found(this.reading.key, list) : null;
  }

  found(key, list) {
    const all = list.map((slice) => this.memory.get(nameOf(key, slice)));
    return all.includes(undefined) ? null : all;
  }

  missing(key, list) {
    const names = new Map(list.map((slice) => [nameOf(key, slice), slice]));
    return [...names].filter(([name]) => !this.memory.has(name)).map(([, slice]) => slice);
  }

  wake() {
    if (this.sending) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), 0);
  }

  async send() {
    const { reading } = this;
    const wishes = this.wishes.splice(0);
    if (!wishes.length || !reading) return;
    const { key, wish } = reading;
    const wanted = this.missing(key, wishes.flatMap(({ list }) => list));
    const sending = (this.sending = new AbortController());
    let failed = false;
    try {
      if (wanted.length) this.take(key, wanted, await api.slices(this.about.id, { ...wish, slices: wanted }, sending.signal));
    } catch (error) {
      failed = true;
      this.fail(error, sending.signal);
    }
    const current = !failed && this.reading?.key === key;
    for (const { list, owner, resolve } of wishes) {
      const counts = current && (!owner || this.newest.get(owner) === list);
      resolve(counts ? this.found(key, list) : null);
    }
    if (this.sending !== sending) return;
    this.sending = null;
    if (this.wishes.length) this.wake();
  }

  take(key, wanted, answer) {
    wanted.forEach((slice, k) => {
      const one = sliced(answer.slices[k]);
      this.memory.put(nameOf(key, slice), one, one.data.byteLength + 256);
    });
  }
}

function nameOf(key, { point, at = {}, form = "f4", size = 0, top = 0 }) {
  return JSON.stringify([key, point, Object.entries(at).sort(), form, size, top]);
}
