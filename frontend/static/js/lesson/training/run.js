/** One training as it arrives: its frames, the loss of every epoch, how it ended. */

import { ApiError, train } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";

/**
 * @typedef {{values: Float32Array, shape: number[]}} Numbers
 * @typedef {{epoch: number, figures: Record<string, number>, texts: Record<string, string[]>,
 *   arrays: Record<string, Numbers>}} Frame  what there is to see after so many epochs
 */

let made = 0;

export class Run {
  /** @param {string} recipe @param {Record<string, number|string>} parameters all of them */
  constructor(recipe, parameters) {
    Object.assign(this, { recipe, parameters, number: ++made });
    this.fixed = null; // a Frame: what does not change
    /** @type {Frame[]} */
    this.frames = [];
    /** @type {number[]} by epoch */
    this.losses = [];
    this.state = "waiting"; // running, done, stopped, failed
    this.error = null;
    this.limits = new Map();
    this.abort = new AbortController();
  }

  get running() {
    return this.state === "waiting" || this.state === "running";
  }

  /** Train; resolves when it has ended, however it has. @param {() => void} changed */
  async start(changed) {
    try {
      await train(this.recipe, this.parameters, this.abort.signal, (event, data) => {
        this.take(event, JSON.parse(data));
        changed();
      });
      if (this.running) throw new ApiError({ code: "connection", message: "" });
    } catch (error) {
      if (this.running) this.state = error.name === "AbortError" ? "stopped" : "failed";
      if (this.state === "failed") this.error = error;
      if (this.state === "failed" && !(error instanceof ApiError)) throw error;
    } finally {
      changed();
    }
  }

  take(event, data) {
    if (event === "error") {
      this.state = "failed";
      this.error = new ApiError(data.error);
      return;
    }
    if (event === "done") {
      this.state = "done";
      return;
    }
    const arrays = Object.entries(data.arrays).map(([name, { data: array }]) => [name, { values: decode(array), shape: shapeOf(array) }]);
    const frame = { epoch: data.epoch, figures: data.figures, texts: data.texts, arrays: Object.fromEntries(arrays) };
    if (event === "start") {
      this.state = "running";
      this.parameters = data.parameters; // as they are used
      this.fixed = frame;
    } else if (event === "frame") {
      this.frames.push(frame);
      this.losses.push(...frame.arrays.losses.values);
      this.limits.clear();
    }
  }

  /** End it now. */
  stop() {
    this.abort.abort();
  }

  /** The largest size of an array's numbers, in all frames so far: moments share one scale. */
  limit(name) {
    if (!this.limits.has(name)) {
      let most = 0;
      for (const { arrays } of this.frames) for (const value of arrays[name].values) most = Math.max(most, Math.abs(value));
      this.limits.set(name, most || 1);
    }
    return this.limits.get(name);
  }

  /** The frame of the last kept epoch that is not after this one. */
  frameAt(epoch) {
    const after = this.frames.findIndex((frame) => frame.epoch > epoch);
    return after < 0 ? this.frames.length - 1 : Math.max(0, after - 1);
  }
}
