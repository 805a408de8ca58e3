/** One run of a captioner: the cells of the picture it looks at and the words it wrote. */

import { ApiError, caption } from "../api.js";
import { DecoderRun } from "../decoder/run.js";
import { cellName } from "./cells.js";

/** @typedef {{distance: number, share: number}|null} Familiarity */
/** @typedef {{mean_log_probability: number, share: number}|null} Confidence */
/**
 * @typedef {object} Options
 * @property {import("./picture.js").Picture} picture @property {number} [beam_size]
 * @property {number} [length_penalty] @property {number} [max_new_tokens]
 * @property {number|null} [seed]  draws the cells of a hard network
 * @property {number[]} [prefix] @property {[number, number][]} [force]  [step, cell]
 * @property {string[]|null} [points]  null: all
 */

export class Caption extends DecoderRun {
  constructor(about) {
    super(about);
    this.hard = about.config?.attention === "hard";
    this.columns = about.config?.grid ?? 7;
  }

  clear() {
    super.clear();
    /** @type {import("./picture.js").Picture|null} */ this.picture = null;
    /** @type {Familiarity} */ this.familiarity = null;
    /** @type {Confidence} */ this.confidence = null;
    this.grid = { rows: 0, columns: 0 };
  }

  /** @param {Options} options */
  async request(options, signal, receive) {
    const { picture } = options;
    const ask = (key) => caption(this.about.id, this.query(options, key), key ? null : picture.blob, signal, receive);
    if (!picture.key) return ask("");
    try {
      return await ask(picture.key);
    } catch (error) {
      // It has been forgotten meanwhile: the bytes once more.
      if (!(error instanceof ApiError) || error.code !== "unknown_picture") throw error;
      return ask("");
    }
  }

  /** Options as the address of the route has them. @returns {URLSearchParams} */
  query({ beam_size = 1, length_penalty = 1, max_new_tokens = 30, seed = null, prefix = [], force = [], points = null }, key) {
    const query = new URLSearchParams({ beam_size, length_penalty, max_new_tokens });
    if (key) query.set("image", key);
    if (this.hard && seed !== null && beam_size === 1) query.set("seed", seed);
    if (prefix.length) query.set("prefix", prefix.join());
    for (const [step, cell] of force) query.append("force", [step, Math.floor(cell / this.columns), cell % this.columns].join());
    if (points) for (const name of points.length ? points : ["none"]) query.append("points", name);
    return query;
  }

  begin(data) {
    const { picture } = this.options;
    this.clear();
    picture.key = data.image.key;
    Object.assign(this, { picture, familiarity: data.familiarity, grid: data.grid, sourceText: picture.title });
    const { rows, columns } = data.grid;
    this.source = Array.from({ length: rows * columns }, (_, k) => ({ token: cellName(k, columns), label: cellName(k, columns) }));
    this.takePoints(data.points);
    return "source";
  }

  /** Points of the grid (row, column, unit) as the cells are counted everywhere here: (cell, unit). */
  takePoints(points) {
    super.takePoints(points);
    for (const point of Object.values(this.sourcePoints)) {
      if (point.axes[0] === "row") point.shape = [point.shape[0] * point.shape[1], ...point.shape.slice(2)];
    }
  }

  finish(data) {
    this.confidence = data.confidence;
    return super.finish(data);
  }

  /** Row and column -> the number of the cell. */
  place(told) {
    return told ? told[0] * this.columns + told[1] : null;
  }
}
