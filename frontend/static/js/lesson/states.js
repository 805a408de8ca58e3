/** The states of a text, read once a point and kept: what the views of units draw. */

import { trace } from "../api.js";
import { decode, shapeOf } from "../arrays.js";
import { rampOf } from "../color.js";
import { LEVELS, parseName } from "../trace-store.js";

export class States {
  constructor(id) {
    this.id = id;
    this.text = null;
    this.points = new Map();
  }

  /** One point over a text. @returns {Promise<{values: Float32Array, units: number, range: string, letter: string}>} */
  async read(text, name) {
    if (text !== this.text) {
      this.text = text;
      this.points = new Map();
    }
    if (!this.points.has(name)) this.points.set(name, this.ask(text, name));
    try {
      return await this.points.get(name);
    } catch (error) {
      this.points.delete(name);
      throw error;
    }
  }

  async ask(text, name) {
    const answer = await trace(this.id, { text, points: [name] });
    const point = answer.points[name];
    return { values: decode(point.data), units: shapeOf(point.data).at(-1), range: point.range, ...parseName(name) };
  }
}

/** The values of one unit, and the limits and colours that they are drawn with. */
export function unitOf(point, unit) {
  const length = point.values.length / point.units;
  const values = Float32Array.from({ length }, (_, t) => point.values[t * point.units + unit]);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const limit = point.range === "real" ? (LEVELS.find((level) => level >= largest) ?? largest) : 1;
  const limits = [point.range === "unit" ? 0 : -limit, limit];
  const ramp = rampOf(point.range, point.letter).css;
  const css = (t) => ramp[Math.max(0, Math.min(255, Math.round((255 * (values[t] - limits[0])) / (limits[1] - limits[0]))))];
  return { values, low, high, limits, ramp, css };
}

/** Names of the points that have a number a unit and a step. */
export function pointsOf(about) {
  return about.points.filter(({ axes }) => axes.join() === "time,unit");
}
