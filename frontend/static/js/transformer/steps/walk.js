/**
 * The text that the steps go through, and what the network has made of it.
 *
 * `walk.state`    what is chosen; frozen, changed by `set` alone (see url-state.js)
 * `walk.reading`  tokens that were read, or null
 * `walk.layer`    everything inside the chosen layer, or null while it is fetched
 *
 * Events: `read` (another text, or none), `layer` (another layer's numbers are here), `select`
 * (query, key, head or unit has changed), `step`, `shuffle`, `state` (busy changed), `problem`.
 *
 * The page draws every number that takes part, so it reads at most `MOST` tokens: of a longer text
 * the last ones. That way every sum on it is whole.
 */

import * as api from "../../api.js";
import { Asking } from "../../asking.js";
import { labelsOf } from "../labels.js";
import { sliced } from "../sliced.js";
import { largestOf } from "./numbers.js";
import { ADDRESS } from "./url-state.js";

export const MOST = 24;
const FEW = 256; // characters: of words, more than so many tokens
const CHOSEN = ["query", "key", "head", "unit"];
const INSIDE = ["read", "q", "k", "v", "scores", "attention", "heads", "attended", "middle", "mlp.read", "mlp.hidden", "mlp", "residual"];

/**
 * @typedef {object} Reading
 * @property {string} text  what was read of the reader's text @property {boolean} cut  not all of it
 * @property {string[]} labels  tokens, for an axis @property {string[]} tokens @property {number[]} ids @property {[number, number][]} spans
 * @property {Float32Array} embedding  the stream before the first layer, (T, D)
 * @property {Float32Array|null} positions  (T, D) of a table of positions
 * @property {{ids: number[], probabilities: Float32Array}|null} next  after the last token
 */

export class Walk extends Asking {
  /** @param {{id: string, kind: string, config: object, points: {name: string}[]}} about */
  constructor(about) {
    super();
    this.about = about;
    this.reading = null;
    this.layer = null;
    this.hover = Object.freeze({ query: -1, key: -1 });
    this.kept = new Map(); // answers about the text that was read, by what was asked
    const address = ADDRESS.read();
    this.state = Object.freeze(this.within({ ...address, stack: "", text: address.text || about.prompt || "To be, or not to be" }));
    this.saveAddress = ADDRESS.writer(() => this.state);
  }

  // What the network is.

  get layers() {
    return this.about.config.num_layers;
  }

  get heads() {
    return this.about.config.num_heads;
  }

  /** Numbers of the stream. */
  get D() {
    return this.about.config.hidden_size;
  }

  /** Numbers of a query, key or value. */
  get d() {
    return this.about.config.head_size || this.D / this.heads;
  }

  /** The head of keys and values that belongs to a head of queries. */
  keyHead(head = this.state.head) {
    return Math.floor(head / (this.heads / (this.about.config.num_kv_heads || this.heads)));
  }

  get causal() {
    return this.about.kind === "transformer_lm";
  }

  get predicts() {
    return this.points.has("embedding.lens");
  }

  get points() {
    return new Set(this.about.points.map(({ name }) => name));
  }

  /** Tokens. */
  get T() {
    return this.reading?.tokens.length ?? 0;
  }

  /** The token that looks; -1 where nothing was read. */
  get query() {
    const { query } = this.state;
    return query < 0 || query >= this.T ? this.T - 1 : query;
  }

  /** The token whose score is spelled out: the chosen one, else the one that is looked at most. */
  get key() {
    const { key } = this.state;
    if (key >= 0 && key < this.T) return key;
    const { T, query } = this;
    return largestOf(this.head().attention.subarray(query * T, query * T + T));
  }

  /** How many tokens the one that looks may look at. */
  get seen() {
    return this.causal ? this.query + 1 : this.T;
  }

  // What is chosen.

  set(changes) {
    const before = this.state;
    const fresh = "text" in changes && changes.text !== before.text ? { key: -1, query: -1 } : {};
    const state = (this.state = Object.freeze(this.within({ ...before, ...fresh, ...changes })));
    if (state.text !== before.text) this.read();
    else if (state.layer !== before.layer) this.open();
    if (CHOSEN.some((name) => state[name] !== before[name])) this.tell("select");
    if (state.step !== before.step) this.tell("step");
    if (state.shuffle !== before.shuffle) this.tell("shuffle");
    this.saveAddress();
  }

  within(state) {
    const clamp = (value, low, high) => Math.max(low, Math.min(high, Math.round(value) || 0));
    return {
      ...state,
      layer: clamp(state.layer, 0, this.layers - 1),
      head: clamp(state.head, 0, this.heads - 1),
      query: Math.max(-1, Math.round(state.query)),
      key: Math.max(-1, Math.round(state.key)),
      unit: clamp(state.unit, -1, this.d - 1),
      step: clamp(state.step, 1, 12),
    };
  }

  hoverAt(query = -1, key = -1) {
    if (query === this.hover.query && key === this.hover.key) return;
    this.hover = Object.freeze({ query, key });
    this.tell("hover");
  }

  // Reading.

  async read() {
    this.reader?.abort();
    const { signal } = (this.reader = new AbortController());
    this.problem(null);
    if (!this.state.text) return this.arrive(null);
    this.become(true);
    const { layer } = this.state;
    try {
      const text = await this.cut(signal);
      const whole = ["embedding", ...(this.points.has("positions") ? ["positions"] : [])].map((point) => ({ point }));
      const inside = this.inside(layer);
      const answer = await this.ask({ text, slices: [...whole, ...inside] }, signal);
      const found = answer.slices.map(sliced);
      this.kept.clear();
      this.remember(text, undefined, inside, found.slice(whole.length));
      this.arrive(readingOf(answer, text, this.state.text, found.slice(0, whole.length)), layer);
    } catch (error) {
      this.fail(error, signal);
    }
  }

  /** The reader's text, or as much of its end as is read. */
  async cut(signal) {
    const characters = Array.from(this.state.text);
    let text = characters.slice(-Math.min(FEW, this.about.config.context - 2)).join("");
    // Without its beginning the rest may be read in other tokens: it is counted again.
    for (let most = MOST; characters.length > MOST && most > 1; most--) {
      const { spans } = await this.ask({ text, slices: [{ point: "embedding", at: { time: 0, unit: 0 } }] }, signal);
      if (spans.length <= MOST) break;
      text = tail(text, spans, most);
    }
    return text;
  }

  arrive(reading, layer = 0) {
    this.reading = reading;
    this.layer = reading && this.opened(layer);
    this.become(false);
    this.tell("read");
    this.saveAddress();
    this.open();
  }

  /** The slices of a layer: what it reads from, and all that goes on in it. */
  inside(layer) {
    const before = layer ? `blocks.${layer - 1}.residual` : "embedding";
    return [before, ...INSIDE.map((name) => `blocks.${layer}.${name}`)].map((point) => ({ point }));
  }

  /** The numbers of the chosen layer. */
  async open() {
    const { layer } = this.state;
    if (!this.reading || this.layer?.number === layer || !(await this.slices(this.inside(layer)))) return;
    if (layer !== this.state.layer) return;
    this.layer = this.opened(layer);
    this.tell("layer");
  }

  opened(number) {
    const [x, ...rest] = this.here(this.inside(number)).map(({ data }) => data);
    return { number, x, ...Object.fromEntries(INSIDE.map((name, k) => [name, rest[k]])) };
  }

  /** Of one head of the chosen layer: q, k, v (T, d), weights (T, T), z (T, d). */
  head(head = this.state.head) {
    const { layer, T, d } = this;
    const part = (values, at, size) => values.subarray(at * size, (at + 1) * size);
    const of = this.keyHead(head);
    return {
      q: part(layer.q, head, T * d),
      k: part(layer.k, of, T * d),
      v: part(layer.v, of, T * d),
      scores: part(layer.scores, head, T * T),
      attention: part(layer.attention, head, T * T),
      z: part(layer.heads, head, T * d),
    };
  }

  /**
   * Slices of the text that was read, or null where it has changed meanwhile or they could not be
   * had. `edits` make it another pass.
   * @param {object[]} list @param {object} [edits]
   * @returns {Promise<import("../sliced.js").Sliced[]|null>}
   */
  async slices(list, edits) {
    const { reading } = this;
    if (!reading) return null;
    const { text } = reading;
    const missing = list.filter((slice) => !this.kept.has(nameOf(text, edits, slice)));
    if (missing.length) {
      const { signal } = this.reader;
      this.become(true);
      try {
        const answer = await this.ask({ text, slices: missing, ...(edits ? { edits } : {}) }, signal);
        if (reading !== this.reading) return null;
        this.remember(text, edits, missing, answer.slices.map(sliced));
        this.become(false);
      } catch (error) {
        this.fail(error, signal);
        return null;
      }
    }
    return this.here(list, edits);
  }

  here(list, edits) {
    return list.map((slice) => this.kept.get(nameOf(this.reading.text, edits, slice)));
  }

  remember(text, edits, list, found) {
    list.forEach((slice, k) => this.kept.set(nameOf(text, edits, slice), found[k]));
  }

  ask(body, signal) {
    return api.slices(this.about.id, body, signal);
  }
}

function nameOf(text, edits = null, slice) {
  return JSON.stringify([text, edits, slice]);
}

/** @returns {Reading} */
function readingOf(answer, text, whole, [embedding, positions]) {
  const { next } = answer;
  return {
    text,
    cut: text !== whole,
    labels: labelsOf(answer.tokens),
    tokens: answer.tokens,
    ids: answer.token_ids,
    spans: answer.spans,
    embedding: embedding.data,
    positions: positions?.data ?? null,
    next: next && { ids: next.token_ids, probabilities: sliced({ data: next.probabilities }).data },
  };
}

/** The end of a text that holds its last `count` tokens; spans are in characters. */
function tail(text, spans, count) {
  // A network's own signs, such as [CLS], have no characters and stand there again.
  const real = spans.filter(([start, stop]) => stop > start);
  const signs = spans.length - real.length;
  const from = real.at(-Math.max(1, count - signs))?.[0] ?? 0;
  return Array.from(text).slice(from).join("");
}
