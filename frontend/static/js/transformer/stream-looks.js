/**
 * What attention carries into the stream of one token: in every layer, how much it looks at each of
 * the others, the mean of that layer's heads. A stripe under the cells of the lens, in the colours
 * of the maps.
 */

import { attentionRamp } from "../color.js";
import { valueOf } from "./sliced.js";

export class StreamLooks {
  /** @param {import("./store.js").Store} store @param {string} prefix  of points @param {() => void} onLoad */
  constructor(store, prefix, onLoad) {
    Object.assign(this, { store, prefix, onLoad });
    this.clear();
  }

  clear() {
    /** @type {Map<number, Float32Array>} by token: (layer, key) */
    this.known = new Map();
    this.asking = -1;
    this.restyle();
  }

  restyle() {
    this.drawn = new WeakMap(); // of each column, whose looks it shows
  }

  /** Weights of the token, or null: they are on their way. */
  of(time) {
    const found = this.known.get(time) ?? null;
    if (!found) this.ask(time);
    return found;
  }

  async ask(time) {
    if (time < 0 || this.asking === time) return;
    this.asking = time;
    const { store, prefix, known } = this;
    const [slice] = (await store.slices([{ point: `${prefix}blocks.*.attention`, at: { query: time }, form: "u1" }], this)) ?? [];
    if (this.asking === time) this.asking = -1;
    if (!slice || known !== this.known) return;
    const [layers, heads, keys] = slice.shape;
    const mean = new Float32Array(layers * keys);
    slice.data.forEach((byte, at) => (mean[Math.floor(at / (heads * keys)) * keys + (at % keys)] += valueOf(slice, byte) / heads));
    known.set(time, mean);
    this.onLoad();
  }

  /** @param {Map<number, HTMLElement>} columns  of the lens, by token @param {number} length  tokens */
  paint(columns, time, length) {
    const weights = this.of(time);
    const { css } = attentionRamp();
    for (const [key, column] of columns) {
      if (this.drawn.get(column) === weights) continue;
      this.drawn.set(column, weights);
      for (const cell of column.querySelectorAll('[role="gridcell"]')) {
        const share = weights?.[Number(cell.dataset.l) * length + key]; // the embedding looks at nothing
        const there = share !== undefined && (key <= time || share > 0);
        cell.classList.toggle("looked", there);
        if (there) cell.style.setProperty("--look", css[Math.round(255 * Math.sqrt(Math.min(1, share)))]);
      }
    }
  }
}
