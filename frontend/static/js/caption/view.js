/**
 * How attention is shown, and the weights that a picture is lit by: those of a word, or of all
 * words together.
 */

import { coverageOf, takenBy } from "./cells.js";

const ALL = -1; // the step that stands for all words together

export class View {
  /** @param {import("./caption.js").Caption} run @param {import("../decoder/link.js").Link} link */
  constructor(run, link) {
    Object.assign(this, { run, link });
    this.raw = false; // one brightness a cell, with its number
    this.common = false; // one scale for all words, not one for each
    this.cells = new WeakMap(); // by word of a hard network: its one cell
  }

  /** The word on the stage: pointed at, else chosen, else the newest while they come; ALL after. */
  get step() {
    const { hover, pin } = this.link;
    const { target, whole } = this.run;
    const step = hover.target >= 0 ? hover.target : pin.target;
    return step >= 0 && step < target.length ? step : whole ? ALL : target.length - 1;
  }

  /** The sums over all words; null where there is no attention. */
  get coverage() {
    const { target } = this.run;
    if (this.of !== target || this.counted !== target.length) Object.assign(this, { of: target, counted: target.length, sums: coverageOf(target) });
    return this.sums;
  }

  /** The one cell that a word looked at, always the same array of it. */
  keep(token) {
    const weights = takenBy(token);
    this.cells.set(token, weights);
    return weights;
  }

  /** Weights of a step as numbers: a hard network's are those that its cell was drawn from. */
  weightsOf(step) {
    return step === ALL ? this.coverage : (this.run.target[step]?.attention ?? null);
  }

  /** The largest weight of any word. */
  get largest() {
    return this.run.target.reduce((most, { attention }) => Math.max(most, ...(attention ?? [])), 0);
  }

  /**
   * What the picture is lit by at a step, as `paintLight` takes it; null: nothing.
   * @returns {{weights: ArrayLike<number>, rows: number, columns: number, limit: number, raw: boolean}|null}
   */
  lightOf(step) {
    const { run, raw } = this;
    const token = run.target[step];
    let weights = this.weightsOf(step);
    if (!weights) return null;
    const drawn = run.hard && step !== ALL && !raw; // one cell is lit, and has sharp edges
    if (drawn) weights = this.cells.get(token) ?? this.keep(token);
    const limit = this.common && step !== ALL && !drawn ? this.largest : Math.max(...weights);
    return { weights, ...run.grid, limit, raw: raw || drawn };
  }
}

View.ALL = ALL;
