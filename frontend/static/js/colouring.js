/** What the characters of the text are coloured by: how expected they were, one unit, what is kept. */

import { hue, rampOf, sequential } from "./color.js";
import { LEVELS } from "./trace-store.js";

const DEEPEST = 235; // of 255: a share of 1 stays a little above the end of its ramp

export class Colouring {
  /** @param {import("./trace-store.js").TraceStore} store @param {import("./time-axis.js").TimeAxis} axis */
  constructor(store, axis) {
    Object.assign(this, { store, axis, kind: "none", picked: null });
  }

  /** Take a kind, where it is possible with the unit that is picked. */
  choose(kind, picked) {
    this.picked = picked;
    const possible = { none: true, probability: true, unit: picked, kept: picked?.layer.keeper };
    this.kind = possible[kind] ? kind : "none";
  }

  /** Take note of the limits that the whole text is now painted with. */
  painted() {
    this.limit = this.kind === "unit" ? this.limits[1] : null;
  }

  /** The limits of the unit's colours have moved since the whole text was painted. */
  get stale() {
    return this.kind === "unit" && this.limits[1] !== this.limit;
  }

  /** Limits of the picked unit: its own where values are real, so that quiet units show too. */
  get limits() {
    const { point, unit } = this.picked;
    if (point.range !== "real") return point.limits;
    const key = [point.name, unit, this.store.cuts].join();
    if (this.limitKey !== key) Object.assign(this, { limitKey: key, seen: 0, largest: 0 });
    for (; this.seen < this.store.length; this.seen++) {
      const size = Math.abs(point.at(this.seen, unit));
      if (size > this.largest) this.largest = size;
    }
    const limit = LEVELS.find((level) => level >= this.largest) ?? this.largest;
    return [-limit, limit];
  }

  /** Colour of character `at`, or null. @returns {string|null} */
  tint(at) {
    if (this.kind === "probability") {
      const { probability } = this.store.columns[at];
      return probability === null ? null : sequential(hue("y")).css[Math.round(DEEPEST * probability)];
    }
    if (this.kind === "unit") return this.unitTint(at);
    if (this.kind === "kept" && at <= this.axis.at) {
      const { layer } = this.picked;
      return sequential(hue(layer.cell ? "c" : "h")).css[Math.round(DEEPEST * this.shares()[at])];
    }
    return null;
  }

  unitTint(at) {
    const { point, unit } = this.picked;
    const [low, high] = this.limits;
    const step = Math.round((255 * (point.at(at, unit) - low)) / (high - low));
    return Number.isNaN(step) ? null : rampOf(point.range, point.letter).css[Math.max(0, Math.min(255, step))];
  }

  /** Shares that are left at the current step, computed once a step. */
  shares() {
    const { layer, unit } = this.picked;
    const key = [this.axis.at, unit, layer.number, layer.reverse, this.store.cuts].join();
    if (this.key !== key) {
      this.key = key;
      this.values = this.store.kept(layer.keeper, unit, this.axis.at);
    }
    return this.values;
  }
}
