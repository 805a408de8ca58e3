/**
 * One text and one network: reading what is typed, writing on, stopping, stepping, forking.
 *
 * Events from the server queue up as text; `pump` turns a bounded number of them into columns each
 * frame, as fast as they come or at the reader's pace.
 *
 * Events: `columns` (there are more or fewer), `state`, `problem` (an ApiError, or null).
 */

import { ApiError, generate, trace } from "./api.js";
import { kept } from "./tokens.js";
import { TraceStore } from "./trace-store.js";

const BUDGET = 5; // ms of a frame for parsing and decoding
const MOST = 12; // columns a frame: more would be drawn late rather than sooner

/** @typedef {{temperature: number, top_k: number, top_p: number, seed: number}} Sampling */

export class Session extends EventTarget {
  /** @param {{id: string, points: object[]}} checkpoint */
  constructor(checkpoint) {
    super();
    this.checkpoint = checkpoint;
    this.store = new TraceStore();
    this.store.declare(checkpoint.points.filter((point) => point.axes.at(-1) === "unit"));
    this.state = "idle"; // idle, reading, writing
    this.queue = [];
    this.pace = 0; // columns a second; 0: as fast as they come
    this.due = 0;
    this.abort = null;
    this.prefix = "";
    this.given = 0; // tokens of the prefix
  }

  get names() {
    return [...this.store.points.keys()];
  }

  get busy() {
    return this.state === "writing";
  }

  /**
   * Show `text` as the network reads it; only what differs from the present text is asked for.
   * What is on the page stays until the answer is there.
   */
  async read(text) {
    this.cancel();
    const { store } = this;
    const { same, whole } = kept(this.checkpoint, store.columns, text);
    this.problem(null);
    if (whole) {
      this.give(text, same);
      return this.become("idle");
    }
    const abort = (this.abort = new AbortController());
    this.become("reading");
    try {
      const body = { text, points: this.names, start: same };
      const answer = await trace(this.checkpoint.id, body, abort.signal);
      if (abort.signal.aborted) return;
      store.setTrace(answer, same);
      this.give(text, store.length);
      this.become("idle");
    } catch (error) {
      this.fail(error, abort);
    }
  }

  /** From now on `text` is what was given; columns after `length` go. */
  give(text, length) {
    this.prefix = text;
    this.given = length;
    this.store.truncate(length);
    for (const column of this.store.columns) column.prefix = true;
    this.tell("columns");
  }

  /**
   * Write `count` tokens after the first `start` columns and `inserted`. Columns before
   * `start` are not sent again; those after it stay until the server has begun.
   * @param {Sampling} sampling
   */
  async write(count, sampling, start = this.store.length, inserted = "") {
    this.cancel();
    const { store } = this;
    const prefix = store.text(0, start) + inserted;
    this.begin = (tokens) => {
      if (inserted) {
        this.give(prefix, start);
        this.given = tokens;
      } else store.truncate(start);
      store.reserve(tokens + count);
    };
    this.problem(null);
    const abort = (this.abort = new AbortController());
    this.become("writing");
    const body = { prefix, max_new_tokens: count, start, points: this.names, ...sampling };
    let whole = false;
    try {
      await generate(this.checkpoint.id, body, abort.signal, (event, data) => {
        if (abort.signal.aborted) return;
        whole ||= event === "done" || event === "error";
        this.queue.push([event, data]);
        if (this.queue.length === 1) this.tell("work");
      });
      if (!whole && !abort.signal.aborted) throw new ApiError({ code: "connection", message: "" });
      this.ended = true;
      this.tell("work");
    } catch (error) {
      this.fail(error, abort);
    }
  }

  /** Take no more. */
  stop() {
    this.cancel();
    this.become("idle");
  }

  cancel() {
    this.abort?.abort();
    this.abort = null;
    this.queue = [];
    this.due = 0;
    this.ended = false;
  }

  /**
   * Turn queued events into columns, for at most BUDGET ms. Returns whether there is more to do.
   * @param {number} elapsed ms since the last frame
   */
  pump(elapsed) {
    if (!this.queue.length) {
      if (this.ended && this.busy) this.become("idle");
      return false;
    }
    let allowed = MOST;
    if (this.pace) {
      this.due = Math.min(this.due + (elapsed * this.pace) / 1000, 4);
      allowed = Math.min(MOST, Math.floor(this.due));
      this.due -= allowed;
    }
    const began = performance.now();
    let taken = 0;
    let columns = 0;
    while (taken < this.queue.length && columns < allowed && performance.now() - began < BUDGET) {
      const [event, data] = this.queue[taken++];
      columns += this.receive(event, JSON.parse(data));
    }
    this.queue.splice(0, taken);
    if (columns) this.tell("columns");
    return true;
  }

  /** One event; returns how many columns it made. */
  receive(event, data) {
    if (event === "step") {
      this.store.addStep(data);
      return 1;
    }
    if (event === "start") this.begin(data.tokens);
    if (event === "done") {
      this.store.next = data.next ?? [];
      this.tell("columns");
    }
    if (event === "error") {
      this.problem(new ApiError(data.error));
      this.ended = true;
    }
    return 0;
  }

  fail(error, abort) {
    if (error.name === "AbortError" || abort.signal.aborted) return;
    this.ended = true;
    this.become("idle");
    this.problem(ApiError.of(error));
  }

  problem(error) {
    if (error === (this.error ?? null)) return;
    this.error = error;
    this.tell("problem");
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell("state");
  }

  tell(type) {
    this.dispatchEvent(new Event(type));
  }
}
