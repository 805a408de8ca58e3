/**
 * One vector as a strip, a cell a unit: colours of signed values, or bars from a line at zero. A cell
 * that is wide enough carries its number.
 */

import { color, inkOn, signedRamp } from "../color.js";
import { sharpen } from "../raster.js";
import { full, make, short } from "../words.js";

const NUMBERS = 36; // css px that a cell needs to carry its number

export class UnitStrip {
  /** @param {"cells"|"bars"} shape @param {number} height css px @param {(unit: number) => void} onUnit */
  constructor(shape, height, onUnit) {
    Object.assign(this, { shape, height });
    this.values = [];
    this.canvas = make("canvas", { class: "unit-strip", "aria-hidden": "true" });
    this.canvas.addEventListener("pointermove", (event) => onUnit(this.at(event.offsetX)));
    this.canvas.addEventListener("pointerdown", (event) => onUnit(this.at(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => onUnit(-1));
  }

  at(x) {
    return Math.max(0, Math.min(this.values.length - 1, Math.floor((x / this.width) * this.values.length)));
  }

  /** A number with as many digits as a cell has room for. */
  text(context, value, width) {
    const text = short(value);
    return context.measureText(text).width <= width - 3 ? text : full(Number(value.toPrecision(1)));
  }

  /** @param {ArrayLike<number>} values @param {number} limit  of the colours, either way */
  draw(values, limit, unit, width, scale) {
    Object.assign(this, { values, width });
    const height = this.height * scale;
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const { context, ratio } = sharpen(this.canvas, width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const n = values.length;
    const { css } = signedRamp();
    const x = (u) => Math.round((u * width * ratio) / n) / ratio;
    const gap = width / n >= 5 ? 1 : 0;
    const numbers = width / n >= NUMBERS * scale;
    const middle = height / 2;
    if (this.shape === "bars") {
      context.fillStyle = color("--rule-2");
      context.fillRect(0, Math.round(middle), width, 1);
    }
    context.font = `${10 * scale}px ${color("--mono")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let u = 0; u < n; u++) {
      const share = limit ? Math.max(-1, Math.min(1, values[u] / limit)) : 0;
      const fill = css[Math.round(127.5 + 127.5 * share)];
      const w = x(u + 1) - x(u) - gap;
      const tall = this.shape === "bars" ? (middle - (numbers ? 12 * scale : 1)) * share : 0;
      context.fillStyle = this.shape === "bars" ? css[share < 0 ? 40 : 215] : fill;
      if (this.shape === "bars") context.fillRect(x(u), Math.min(middle, middle - tall), w, Math.max(0.75, Math.abs(tall)));
      else context.fillRect(x(u), 0, w, height);
      if (!numbers) continue;
      context.fillStyle = this.shape === "bars" ? color("--ink-2") : inkOn(fill);
      context.fillText(this.text(context, values[u], w), x(u) + w / 2, this.shape === "bars" ? middle - tall - Math.sign(share || 1) * 7 * scale : middle + 0.5);
    }
    if (unit < 0 || unit >= n) return;
    context.strokeStyle = color("--ink");
    context.lineWidth = 1.5;
    context.strokeRect(x(unit) + 0.25, 0.75, Math.max(2, x(unit + 1) - x(unit) - gap), height - 1.5);
  }
}
