/**
 * Each head off in turn: what changes. One reading a head, one after the other; the numbers come
 * as they are measured.
 *
 * Events: `change` (a number has come, it has begun, ended, or its numbers mean nothing any more).
 */

import { Outcome, otherwise } from "./otherwise.js";

export class Sweep extends EventTarget {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    super();
    this.store = store;
    this.outcome = new Outcome(store);
    this.forget();
    store.addEventListener("read", () => {
      // Another text: the numbers are of the one before. After an edit they still tell what was.
      if (store.reading?.text !== this.text) this.forget();
      this.changed();
    });
  }

  forget() {
    this.stop();
    /** @type {Map<string, number>} by the head's name */ this.found = new Map();
    this.text = this.store.reading?.text;
    Object.assign(this, { key: null, done: 0, count: 0 });
  }

  get running() {
    return this.abort !== undefined && this.abort !== null;
  }

  /** The numbers are of the text as it is read now. */
  get current() {
    return this.key === this.store.reading?.key;
  }

  /** @param {string[]} names  of heads, e.g. `blocks.2.5`; those that are off already are passed over */
  async run(names) {
    this.stop();
    const { store, outcome } = this;
    const { edits } = store.state;
    if (!store.reading) return;
    if (!this.current || this.place !== outcome.place) this.found = new Map();
    Object.assign(this, { key: store.reading.key, text: store.reading.text, place: outcome.place, done: 0 });
    const wanted = names.filter((name) => !edits.heads_off.includes(name));
    this.count = wanted.length;
    const abort = (this.abort = new AbortController());
    const slices = [outcome.slice];
    this.changed();
    try {
      const [before] = await otherwise(store, edits, slices, abort.signal);
      for (const name of wanted) {
        const [after] = await otherwise(store, { ...edits, heads_off: [...edits.heads_off, name] }, slices, abort.signal);
        if (abort.signal.aborted) return;
        this.found.set(name, outcome.change(before, after));
        this.done++;
        this.changed();
      }
    } catch (error) {
      store.fail(error, abort.signal);
    } finally {
      if (this.abort === abort) {
        this.abort = null;
        this.changed();
      }
    }
  }

  stop() {
    this.abort?.abort();
    this.abort = null;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Heads by how much they change, the most first. @returns {[string, number][]} */
  get ranked() {
    return [...this.found].sort((a, b) => b[1] - a[1]);
  }
}
