/**
 * What a reader has changed in what a network writes: where some steps were made to look, and which tokens
 * were chosen. Every edit can be taken back by itself; the words before an edit stay as they are.
 */

/**
 * @typedef {object} Edit
 * @property {"look"|"token"|"whole"} kind  looks elsewhere; another token; a whole hypothesis
 * @property {number} step @property {number} [source]
 */

export class Edits {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {number[]} tokens that the network is made to begin with */ this.prefix = [];
    /** @type {number[]} steps of the prefix that were chosen, in order */ this.picks = [];
    this.whole = false; // the prefix is a whole hypothesis
    /** @type {Map<number, number>} step -> source position */ this.force = new Map();
  }

  get empty() {
    return !this.prefix.length && !this.force.size;
  }

  /** Steps that the reader chose. */
  get chosen() {
    return this.whole ? this.prefix.keys() : this.picks;
  }

  /** @returns {[number, number][]} as the server takes them */
  get forced() {
    return [...this.force].sort(([a], [b]) => a - b);
  }

  /** @returns {Edit[]} in order of step */
  get list() {
    if (this.whole) return [{ kind: "whole", step: 0 }, ...this.looks];
    return [...this.picks.map((step) => ({ kind: "token", step })), ...this.looks].sort((a, b) => a.step - b.step);
  }

  get looks() {
    return this.forced.map(([step, source]) => ({ kind: "look", step, source }));
  }

  /**
   * Step `step` looks at `source`; what it wrote until now and what came after is written anew.
   * @param {number[]} before  ids of the words before the step, to be kept; empty: the network
   *   writes them itself, the same again
   */
  look(step, source, before = []) {
    this.force.set(step, source);
    this.cut(step);
    if (before.length) this.prefix = before.slice(0, step);
  }

  /** Another token at `step` after the tokens `before`; the network goes on from it. */
  take(step, token, before) {
    this.cut(step);
    this.picks.push(step);
    this.prefix = [...before.slice(0, step), token];
    for (const at of this.force.keys()) if (at > step) this.force.delete(at);
  }

  /** Read a whole hypothesis; steps look where they did while it was searched for. */
  read(tokens) {
    this.prefix = [...tokens];
    this.picks = [];
    this.whole = true;
  }

  /** Take one back. @param {Edit} edit */
  remove(edit) {
    if (edit.kind !== "look") return this.cut(edit.step);
    this.force.delete(edit.step);
    if (!this.whole) this.trim();
  }

  /** The prefix ends before `step`, after the last token that was chosen before it. */
  cut(step) {
    this.whole = false;
    this.picks = this.picks.filter((at) => at < step);
    this.trim();
  }

  /** Nothing is kept after the last chosen token. */
  trim() {
    this.prefix = this.prefix.slice(0, this.picks.length ? this.picks.at(-1) + 1 : 0);
  }

  /** As text for the address. */
  get words() {
    return {
      prefix: this.prefix.join("."),
      picks: this.whole ? "all" : this.prefix.length && !this.picks.length ? "none" : this.picks.join("."),
      force: this.forced.map(([step, source]) => `${step}-${source}`).join("."),
    };
  }

  /** From the address; what cannot be read is left out. */
  restore({ prefix, picks, force }) {
    this.clear();
    const numbers = (text) => (text ? text.split(".").map(Number).filter((n) => Number.isInteger(n) && n >= 0) : []);
    this.prefix = numbers(prefix);
    this.whole = picks === "all" && this.prefix.length > 0;
    if (!this.whole) {
      this.picks = numbers(picks).filter((step) => step < this.prefix.length);
      if (this.prefix.length && !picks) this.picks = [this.prefix.length - 1];
    }
    for (const pair of force ? force.split(".") : []) {
      const found = /^(\d+)-(\d+)$/.exec(pair);
      if (found) this.force.set(Number(found[1]), Number(found[2]));
    }
  }
}
