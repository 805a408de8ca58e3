/**
 * One text that a language model writes: the tokens of its beginning and those it has drawn, with
 * a row of attention of every head of one layer for each.
 *
 * Events from the server queue up; `pump` turns some of them into tokens each frame, at the
 * reader's pace. Events: `change`, `state`, `problem`.
 */

import { ApiError, generate } from "../api.js";
import { decode, shapeOf } from "../arrays.js";

const MOST = 8; // tokens a frame

/**
 * @typedef {object} Written
 * @property {string} token @property {boolean} prefix  given, not drawn
 * @property {number|null} probability  at temperature 1
 * @property {{token: string, probability: number, drawn: number|null}[]} top  what could have stood here
 * @property {Float32Array|null} rows  (head, key): where the heads of the layer looked
 */
/** @typedef {{temperature: number, top_k: number, seed: number, count: number}} Sampling */

export class WrittenText extends EventTarget {
  /** @param {{id: string}} about */
  constructor(about) {
    super();
    this.about = about;
    this.pace = 0; // tokens a second; 0: as they come
    this.clear();
  }

  clear() {
    /** @type {Written[]} */ this.tokens = [];
    this.next = [];
    this.queue = [];
    this.due = 0;
    this.ended = true;
    this.abort = null;
  }

  get busy() {
    return !this.ended || this.queue.length > 0;
  }

  /** The text of the first `count` tokens. */
  text(count = this.tokens.length) {
    return this.tokens.slice(0, count).map(({ token }) => token).join("");
  }

  /**
   * Write on after a text; what stands is replaced once the first token is here.
   * @param {string} prefix @param {Sampling} sampling @param {{layer: number, heads_off: string[]}} look
   */
  async write(prefix, { count, ...sampling }, { layer, heads_off }) {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    Object.assign(this, { queue: [], due: 1, ended: false, prefix, fresh: true, layer, error: null });
    this.tell("problem");
    this.tell("state");
    this.point = `blocks.${layer}.attention`;
    const body = { prefix, max_new_tokens: count, ...sampling, heads_off, points: [this.point] };
    let whole = false;
    try {
      await generate(this.about.id, body, abort.signal, (event, data) => {
        if (abort.signal.aborted) return;
        whole ||= event === "done" || event === "error";
        this.queue.push([event, data]);
        if (this.queue.length === 1) this.tell("change");
      });
      if (!whole && !abort.signal.aborted) throw new ApiError({ code: "connection", message: "" });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = ApiError.of(error);
      this.tell("problem");
    }
    if (this.abort !== abort) return;
    this.ended = true;
    this.tell("state");
    this.tell("change");
  }

  /** Take no more; what is written stays. */
  stop() {
    this.abort?.abort();
    Object.assign(this, { abort: null, queue: [], ended: true });
    this.tell("state");
    this.tell("change");
  }

  /** Turn queued events into tokens. @param {number} elapsed ms @returns {boolean} there is more to do */
  pump(elapsed) {
    let allowed = MOST;
    if (this.pace) {
      this.due = Math.min(this.due + (elapsed * this.pace) / 1000, 4);
      allowed = Math.min(MOST, Math.floor(this.due));
      this.due -= allowed;
    }
    let came = 0;
    while (this.queue.length && came < allowed) {
      const [event, data] = this.queue.shift();
      if (this.receive(event, JSON.parse(data))) came++;
    }
    if (!this.queue.length && this.ended) this.tell("state");
    return this.busy;
  }

  /** One event; true for a token that was drawn. */
  receive(event, data) {
    if (event === "step") {
      if (this.fresh) Object.assign(this, { tokens: [], next: [], fresh: false });
      const point = data.points?.[this.point];
      const rows = point ? decode(point.data) : null;
      this.tokens.push({ token: data.token, prefix: data.prefix, probability: data.probability, top: data.top, rows, keys: point ? shapeOf(point.data).at(-1) : 0 });
      return !data.prefix;
    }
    if (event === "done") this.next = data.next ?? [];
    if (event === "error") {
      this.error = new ApiError(data.error);
      this.tell("problem");
    }
    return false;
  }

  /** Keep the first `count` tokens. */
  cut(count) {
    if (this.busy) this.stop();
    this.next = this.tokens[count]?.top ?? this.next;
    this.tokens = this.tokens.slice(0, count);
    this.tell("change");
  }

  /** Where a head looked from token t: its weights over tokens 0 .. t. */
  row(t, head) {
    const { rows, keys } = this.tokens[t];
    return rows ? rows.subarray(head * keys, (head + 1) * keys) : null;
  }

  tell(type) {
    this.dispatchEvent(new Event(type));
  }
}
