/** One matrix of an attention layer as a canvas: cells, and what of it is looked at. */

import { attentionRamp, color, signedRamp } from "../color.js";
import { hatch, sharpen } from "../raster.js";
import { make } from "../words.js";
import { limitOf } from "./attention-numbers.js";

export class AttentionMap {
  /** @param {(row: number, column: number, kept: boolean) => void} onPoint told where the pointer is */
  constructor(name, onPoint, { weights = false, across = false } = {}) {
    Object.assign(this, { name, weights, across });
    this.canvas = make("canvas", { class: "attention-map", role: "img" });
    const at = (event, kept) => {
      const column = Math.floor(event.offsetX / this.wide);
      const row = Math.floor(event.offsetY / this.high);
      if (this.shown && row >= 0 && column >= 0 && row < this.down && column < this.acrossCount) onPoint(...(this.across ? [column, row] : [row, column]), kept);
    };
    this.canvas.addEventListener("pointermove", (event) => at(event, false));
    this.canvas.addEventListener("click", (event) => at(event, true));
    this.canvas.addEventListener("pointerleave", () => onPoint(-1, -1, false));
  }

  /**
   * @param {import("./attention-numbers.js").Matrix} matrix
   * @param {{wide: number, high: number, row?: number, column?: number}} about css px of a cell, and
   *   the row and the column of the matrix that are looked at; with both the cell where they meet
   */
  show(matrix, { wide, high, row = -1, column = -1, cell = false }) {
    const { across } = this; // drawn with its rows as columns
    Object.assign(this, { shown: matrix, wide, high, down: across ? matrix.columns : matrix.rows, acrossCount: across ? matrix.rows : matrix.columns });
    const { down, acrossCount: wideCount } = this;
    const [width, height] = [wideCount * wide, down * high];
    const { context, ratio } = sharpen(this.canvas, width, height);
    context.scale(ratio, ratio);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const limit = (this.limit = this.weights ? 1 : limitOf(matrix.values));
    const ramp = (this.weights ? attentionRamp() : signedRamp()).css;
    const gap = Math.min(wide, high) > 6 ? 1 : 0.5;
    for (let i = 0; i < matrix.rows; i++) {
      for (let j = 0; j < matrix.columns; j++) {
        const value = matrix.values[i * matrix.columns + j];
        const [x, y] = across ? [i * wide, j * high] : [j * wide, i * high];
        if (Number.isFinite(value)) {
          context.fillStyle = ramp[Math.round(this.weights ? 255 * value : 127.5 * (value / limit + 1))];
          context.fillRect(x, y, wide - gap, high - gap);
        } else hatch(context, x, y, wide - gap, high - gap, color("--ink-3"));
      }
    }
    const [r, c] = across ? [column, row] : [row, column];
    const line = 1.5 * (parseFloat(color("--scale")) || 1);
    // Ink with paper within, to be seen on a dark cell as on a light one.
    const box = (x, y, w, h) => {
      for (const [inset, ink] of [[line * 1.5, "--paper"], [line / 2, "--ink"]]) {
        context.strokeStyle = color(ink);
        context.strokeRect(x + inset - 0.5, y + inset - 0.5, w - 2 * inset + 0.5, h - 2 * inset + 0.5);
      }
    };
    context.lineWidth = line;
    if (cell) box(c * wide, r * high, wide, high);
    else {
      if (r >= 0) box(0, r * high, width, high);
      if (c >= 0) box(c * wide, 0, wide, height);
    }
  }
}
