/**
 * A map of rows and columns on a canvas: one pixel a cell, drawn large. Pointer and arrow keys
 * choose a cell; what it means is told by whoever made the map.
 */

import { color } from "../color.js";
import { hatch, sharpen } from "../raster.js";
import { fit, make } from "../words.js";

const SEEN = 9; // css px a cell needs for a gap beside it
const NAMED = 10; // css px a row needs for its name
export const NAMES = 88; // css px beside a map for the names of its rows

export class CellMap {
  /**
   * @param {HTMLElement} host
   * @param {{label: string, onPoint?: (row: number, column: number) => void,
   *   onChoose?: (row: number, column: number) => void, blank?: boolean}} options
   *   -1, -1: nothing is pointed at; `blank`: NaN is what is not there, else it is hatched
   */
  constructor(host, { label, onPoint = () => {}, onChoose = () => {}, blank = false }) {
    Object.assign(this, { onPoint, onChoose, blank, rows: 0, columns: 0, values: null, at: [0, 0], over: [-1, -1] });
    this.canvas = make("canvas", { class: "cell-map", tabindex: "0", role: "application", "aria-label": label });
    this.image = document.createElement("canvas");
    host.append(this.canvas);
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.point(...this.cell(event)));
    canvas.addEventListener("pointerleave", () => this.point(-1, -1));
    canvas.addEventListener("click", (event) => this.choose(...this.cell(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.point(-1, -1));
  }

  cell({ offsetX, offsetY }) {
    const [row, column] = [Math.floor((offsetY / this.height) * this.rows), Math.floor((offsetX / this.width) * this.columns)];
    return row >= 0 && row < this.rows && column >= 0 && column < this.columns ? [row, column] : [-1, -1];
  }

  point(row, column) {
    if (row === this.over[0] && column === this.over[1]) return;
    this.over = [row, column];
    this.onPoint(row, column);
  }

  choose(row, column) {
    if (row < 0) return;
    this.at = [row, column];
    this.onChoose(row, column);
  }

  key(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !this.rows) return;
    const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
    if (by) {
      this.at = [clamp(this.at[0] + by[0], this.rows), clamp(this.at[1] + by[1], this.columns)];
      this.point(...this.at);
    } else if (event.key === "Enter" || event.key === " ") this.choose(...this.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Colour the cells.
   * @param {ArrayLike<number>} values  (rows, columns) @param {[number, number]} limits
   */
  set(values, rows, columns, ramp, [low, high]) {
    Object.assign(this, { values, rows, columns });
    const { image } = this;
    Object.assign(image, { width: columns, height: rows });
    const context = image.getContext("2d");
    const pixels = context.createImageData(columns, rows);
    const words = new Uint32Array(pixels.data.buffer);
    const scale = 255 / (high - low || 1);
    for (let k = 0; k < words.length; k++) {
      const value = values[k];
      words[k] = value === value ? ramp.table[Math.max(0, Math.min(255, Math.round((value - low) * scale)))] : 0;
    }
    context.putImageData(pixels, 0, 0);
  }

  /** Rows and columns without colours of their own: whoever draws fills them. */
  shape(rows, columns) {
    Object.assign(this, { rows, columns, values: null });
    Object.assign(this.image, { width: 1, height: 1 });
  }

  /** Place of a cell in css px: [x, y, width, height]. */
  box(row, column, rows = 1, columns = 1) {
    const [w, h] = [this.width / this.columns, this.height / this.rows];
    return [column * w, row * h, columns * w, rows * h];
  }

  /**
   * @param {number} [wide]  of the canvas, where there is something beside the cells
   * @returns {CanvasRenderingContext2D} in css px, for marks upon the map
   */
  draw(width, height, wide = width) {
    Object.assign(this, { width, height });
    const { canvas, image } = this;
    Object.assign(canvas.style, { width: `${wide}px`, height: `${height}px` });
    const { context, ratio } = sharpen(canvas, wide, height);
    context.imageSmoothingEnabled = false;
    if (this.values) context.drawImage(image, 0, 0, width * ratio, height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (!this.blank && this.values?.some((value) => value !== value)) this.hatch(context);
    if (Math.min(width / this.columns, height / this.rows) >= SEEN) this.lines(context);
    return context;
  }

  hatch(context) {
    this.values.forEach((value, k) => {
      if (value !== value) hatch(context, ...this.box(Math.floor(k / this.columns), k % this.columns), color("--ink-3"));
    });
  }

  /** Cells that are large enough stand apart. */
  lines(context) {
    context.strokeStyle = color("--paper");
    context.lineWidth = 1;
    context.beginPath();
    for (let k = 1; k < this.columns; k++) {
      const x = Math.round((k * this.width) / this.columns);
      context.moveTo(x, 0);
      context.lineTo(x, this.height);
    }
    for (let k = 1; k < this.rows; k++) {
      const y = Math.round((k * this.height) / this.rows);
      context.moveTo(0, y);
      context.lineTo(this.width, y);
    }
    context.stroke();
  }

  /** Are rows of this height named? */
  static named(height) {
    return height >= NAMED;
  }

  /**
   * Names to the right of rows that are high enough.
   * @param {string[]} labels @param {(row: number) => number} x  where a row ends
   * @param {number} strong  a row that stands out
   */
  names(context, labels, x, strong, scale) {
    const height = this.height / this.rows;
    if (!CellMap.named(height)) return;
    context.textBaseline = "middle";
    context.textAlign = "left";
    labels.forEach((label, row) => {
      context.font = `${row === strong ? "620 " : ""}${Math.min(12.5 * scale, height * 0.86)}px ${color("--sans")}`;
      context.fillStyle = color(row === strong ? "--ink" : "--ink-2");
      context.fillText(fit(context, label, NAMES * scale - 6), x(row) + 4, (row + 0.5) * height + 0.5);
    });
  }

  /** A frame around cells. */
  frame(context, [x, y, w, h], ink, width = 1.25, dash = []) {
    context.strokeStyle = ink;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.strokeRect(x + width / 2, y + width / 2, Math.max(1, w - width), Math.max(1, h - width));
    context.setLineDash([]);
  }
}
