/**
 * What a decoder can look at, as a map: a column for each word that was read, or the one vector of a
 * network without attention. Rows are units; where there are more of them than there is height, a row
 * shows the strongest of those it covers.
 */

import { color, signedRamp } from "../color.js";
import { sharpen } from "../raster.js";
import { make, t } from "../words.js";

const HEIGHT = 96; // css px
const COLUMN = 12; // of a word, at most

export class MemoryMap {
  /** @param {HTMLElement} host @param {{run, name: string}} options */
  constructor(host, { run, name }) {
    Object.assign(this, { host, run, name });
    this.point = run.attends ? "annotation" : "context";
    this.canvas = make("canvas", { class: "memory-map", role: "img" });
    this.words = make("p", { class: "note small" });
    host.append(this.canvas, this.words);
  }

  /** [columns, units] of what is kept. */
  get shape() {
    const { shape } = this.run.sourcePoints[this.point] ?? {};
    if (!shape) return null;
    return shape.length === 2 ? shape : [1, shape[0]];
  }

  /** How many numbers are kept. */
  get size() {
    return this.shape ? this.shape[0] * this.shape[1] : NaN;
  }

  draw() {
    const { shape, run, canvas, host } = this;
    if (!shape || !host.clientWidth) return;
    const [columns, units] = shape;
    const { data } = run.sourcePoints[this.point];
    const scale = parseFloat(color("--scale")) || 1;
    const column = Math.max(3, Math.min(COLUMN * scale, Math.floor(host.clientWidth / columns)));
    const [width, height] = [columns * column, HEIGHT * scale];
    const { context, ratio } = sharpen(canvas, width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const { css } = signedRamp();
    const rows = Math.min(units, HEIGHT);
    for (let s = 0; s < columns; s++) {
      for (let r = 0; r < rows; r++) {
        let strongest = 0;
        for (let k = Math.floor((r * units) / rows); k < Math.floor(((r + 1) * units) / rows); k++) {
          const value = data[s * units + k];
          if (Math.abs(value) > Math.abs(strongest)) strongest = value;
        }
        context.fillStyle = css[Math.round(127.5 * (Math.max(-1, Math.min(1, strongest)) + 1))];
        context.fillRect(s * column, (r * height) / rows, column - 1, height / rows + 0.5);
      }
    }
    const told = columns === 1 && this.point === "context"
      ? t("What its decoder gets of the sentence: one vector of {units} numbers, −1 to 1.", { units })
      : t("What its decoder can look at: {columns} vectors, one a token, of {units} numbers each: {all}.", { columns, units, all: (columns * units).toLocaleString(document.documentElement.lang || "en") });
    this.words.textContent = told;
    canvas.setAttribute("aria-label", `${this.name}. ${told}`);
  }
}
