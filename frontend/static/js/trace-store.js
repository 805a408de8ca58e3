/**
 * Growing columns: everything known about a text, one column a character. Column t holds the
 * token, the distribution it was drawn from, and the points after the network has read it.
 */

import { decode, decodeInto } from "./arrays.js";

/** @typedef {{token: string, probability: number, drawn: number|null}} Candidate */
/**
 * @typedef {object} Column
 * @property {string} token
 * @property {boolean} prefix      given by the reader, not drawn
 * @property {number|null} probability  of this token, at temperature 1
 * @property {Candidate[]} top     the most likely tokens that stood here
 */

// Limits that a colour bar of real values may take.
export const LEVELS = [0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000];
const CLIPPED = 0.05; // share of values that may lie beyond the limits of a map
export const LOW = 0.05; // a gate below is closed, above HIGH it is open: saturated either way
export const HIGH = 0.95;

/** The parts of a point's name: `rnn.1.reverse.c` -> layer 1, backward, letter c. */
export function parseName(name) {
  const parts = name.split(".");
  const numbers = parts.filter((part) => /^\d+$/.test(part)).map(Number);
  return { layer: numbers[0] ?? 0, reverse: parts.includes("reverse"), letter: parts.at(-1) };
}

/** One point over time, (time, unit), with the running facts a map's header tells. */
export class PointColumns {
  constructor({ name, axes, range, shape }, capacity) {
    Object.assign(this, { name, axes, range, ...parseName(name) });
    this.units = shape.at(-1);
    this.data = new Float32Array(capacity * this.units);
    this.forget();
  }

  /** Symmetric or 0..1 limits of the colours. */
  get limits() {
    if (this.range === "unit" || this.range === "probability") return [0, 1];
    if (this.range === "signed") return [-1, 1];
    const total = this.seen || 1;
    const k = LEVELS.findIndex((_, level) => this.over[level] <= total * CLIPPED);
    const limit = LEVELS[k < 0 ? LEVELS.length - 1 : k];
    return [-limit, limit];
  }

  /** Share of values below LOW or above HIGH; NaN while nothing was read. */
  get saturated() {
    return this.seen ? (this.low + this.high) / this.seen : NaN;
  }

  row(t) {
    return this.data.subarray(t * this.units, (t + 1) * this.units);
  }

  at(t, unit) {
    return this.data[t * this.units + unit];
  }

  reserve(capacity) {
    if (capacity * this.units <= this.data.length) return;
    const larger = new Float32Array(capacity * this.units);
    larger.set(this.data);
    this.data = larger;
  }

  /** Count columns [from, to) into the running facts. */
  count(from, to) {
    const { data, units, range, over } = this;
    const real = range === "real";
    for (let k = from * units; k < to * units; k++) {
      const value = data[k];
      if (value !== value) {
        this.missing++;
        continue;
      }
      this.seen++;
      if (real) {
        const size = Math.abs(value);
        if (size > this.largest) this.largest = size;
        for (let level = 0; size > LEVELS[level]; level++) over[level]++;
      } else if (range === "unit") {
        if (value < LOW) this.low++;
        else if (value > HIGH) this.high++;
      }
    }
  }

  forget() {
    this.over = new Uint32Array(LEVELS.length + 1);
    this.seen = this.missing = this.low = this.high = this.largest = 0;
  }
}

export class TraceStore {
  constructor() {
    /** @type {Column[]} */ this.columns = [];
    /** @type {Map<string, PointColumns>} */ this.points = new Map();
    /** @type {Candidate[]} what would come next */ this.next = [];
    this.capacity = 256;
    this.cuts = 0; // grows when columns are taken away: whoever keeps pictures compares it
  }

  get length() {
    return this.columns.length;
  }

  /** The characters of columns [from, to). */
  text(from = 0, to = this.length) {
    let text = "";
    for (let t = from; t < Math.min(to, this.length); t++) text += this.columns[t].token;
    return text;
  }

  /** Declare the points of a checkpoint, in its order. */
  declare(points) {
    for (const point of points) {
      if (!this.points.has(point.name)) {
        this.points.set(point.name, new PointColumns(point, this.capacity));
      }
    }
  }

  /** Make room, so that a stream of known length never copies what it has. */
  reserve(columns) {
    if (columns <= this.capacity) return;
    this.capacity = Math.max(columns, Math.min(2 * this.capacity, this.capacity + 2048));
    for (const point of this.points.values()) point.reserve(this.capacity);
  }

  /** Drop columns from `length` on. */
  truncate(length) {
    if (length >= this.length) return;
    this.next = length ? this.columns[length].top : [];
    this.columns.length = length;
    this.cuts++;
    for (const point of this.points.values()) {
      point.forget();
      point.count(0, length);
    }
  }

  /** One `step` event. */
  addStep(step) {
    const t = this.length;
    this.reserve(t + 1);
    this.columns.push({
      token: step.token,
      prefix: step.prefix,
      probability: step.probability,
      top: step.top,
    });
    this.next = [];
    for (const name in step.points) {
      const point = this.points.get(name);
      if (!point) continue;
      decodeInto(step.points[name].data, point.data, t * point.units);
      point.count(t, t + 1);
    }
  }

  /**
   * One column whose numbers are here already.
   * @param {string} token @param {(name: string) => Float32Array|undefined} row  of each point
   */
  addColumn(token, row, facts = {}) {
    const t = this.length;
    this.reserve(t + 1);
    this.columns.push({ token, prefix: true, probability: null, top: [], ...facts });
    for (const point of this.points.values()) {
      const values = row(point.name);
      if (!values) continue;
      point.data.set(values, t * point.units);
      point.count(t, t + 1);
    }
  }

  /** An answer of `trace` whose first step is column `from`; everything after it is replaced. */
  setTrace(trace, from = 0) {
    this.truncate(from);
    const steps = trace.tokens.length;
    this.reserve(from + steps);
    const likely = decode(trace.next.probabilities);
    const own = decode(trace.probability);
    const width = steps ? likely.length / steps : 0;
    let before = this.next;
    for (let k = 0; k < steps; k++) {
      this.columns.push({
        token: trace.tokens[k],
        prefix: true,
        probability: Number.isNaN(own[k]) ? null : own[k],
        top: from + k ? before : [],
      });
      before = trace.next.tokens[k].map((token, rank) => ({
        token,
        probability: likely[k * width + rank],
        drawn: null,
      }));
    }
    this.next = before;
    for (const name in trace.points) {
      const point = this.points.get(name);
      if (!point) continue;
      decodeInto(trace.points[name].data, point.data, from * point.units);
      point.count(from, from + steps);
    }
  }

  /** What column t predicts for the character after it. @returns {Candidate[]} */
  predicted(t) {
    return t + 1 < this.length ? this.columns[t + 1].top : this.next;
  }

  /**
   * How much of what was in the cell after column `from` is still in it after column t: the
   * product of the keeping gate (forget gate f, or z of a GRU) in between. One number a column.
   */
  kept(keep, unit, t, from = 0) {
    const shares = new Float32Array(t - from + 1);
    let share = 1;
    for (let k = t; k >= from; k--) {
      shares[k - from] = share;
      share *= keep.at(k, unit);
    }
    return shares;
  }
}
