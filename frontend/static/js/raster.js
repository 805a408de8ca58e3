/**
 * A point over time as pixels: one pixel a column and a row, kept in tiles of 128 columns, so that
 * a new column costs one column and a frame costs one `drawImage` a visible tile.
 *
 * With fewer rows than units every row shows the strongest of the units it covers: the one whose
 * value is farthest from the middle of the scale, which is 0 for signed values and 0.5 for gates.
 */

import { rampOf } from "./color.js";

const TILE = 128;

export class Raster {
  /** @param {import("./trace-store.js").PointColumns} point */
  constructor(point) {
    this.point = point;
    this.middle = point.range === "unit" || point.range === "probability" ? 0.5 : 0;
    this.rows = 0;
    this.order = null; // order[k]: the unit at place k; null: by index
    this.clear();
  }

  /** Forget the pixels: colours, limits, order or rows have changed, or columns were cut. */
  clear() {
    this.tiles = [];
    this.holes = []; // [column, row] of NaN
  }

  /** @param {number} rows pixel rows, at most one a unit */
  shape(rows, order) {
    rows = Math.max(1, Math.min(this.point.units, rows));
    if (rows === this.rows && order === this.order) return;
    Object.assign(this, { rows, order });
    this.clear();
  }

  /** First place (in the order) that a row covers. */
  firstPlace(row) {
    return Math.floor((row * this.point.units) / this.rows);
  }

  /** The unit whose value a pixel shows. */
  unitAt(t, row) {
    const { point, order, middle } = this;
    const values = point.row(t);
    let best = -1;
    for (let place = this.firstPlace(row); place < this.firstPlace(row + 1); place++) {
      const unit = order ? order[place] : place;
      if (best < 0 || Math.abs(values[unit] - middle) > Math.abs(values[best] - middle)) best = unit;
    }
    return best;
  }

  /** The row in which a unit lies. */
  rowOf(unit) {
    const place = this.order ? this.order.indexOf(unit) : unit;
    return Math.min(this.rows - 1, Math.floor(((place + 0.5) * this.rows) / this.point.units));
  }

  /** Paint columns [from, to) of `length` into a context, `x(t)` and `width` in device pixels. */
  paint(context, from, to, length, x, width, top, height) {
    const limits = this.point.limits;
    if (limits[1] !== this.painted || this.ramp !== rampOf(this.point.range, this.point.letter)) {
      this.clear();
      this.painted = limits[1];
      this.ramp = rampOf(this.point.range, this.point.letter);
    }
    context.imageSmoothingEnabled = false;
    for (let k = Math.floor(from / TILE); k * TILE < to; k++) {
      const tile = this.fill(k, Math.min(length, (k + 1) * TILE));
      const first = Math.max(from, k * TILE);
      const last = Math.min(to, (k + 1) * TILE);
      const left = Math.round(x(first));
      context.drawImage(
        tile.canvas, first - k * TILE, 0, last - first, this.rows,
        left, top, Math.round(x(first) + (last - first) * width) - left, height,
      );
    }
  }

  /** Tile k with its columns up to `end` drawn. */
  fill(k, end) {
    let tile = this.tiles[k];
    if (!tile) {
      const canvas = document.createElement("canvas");
      canvas.width = TILE;
      canvas.height = this.rows;
      const context = canvas.getContext("2d");
      const image = context.createImageData(TILE, this.rows);
      tile = { canvas, context, image, pixels: new Uint32Array(image.data.buffer), filled: k * TILE };
      this.tiles[k] = tile;
    }
    if (tile.filled < end) {
      const from = tile.filled;
      for (let t = from; t < end; t++) this.column(tile.pixels, t - k * TILE, t);
      tile.filled = end;
      tile.context.putImageData(tile.image, 0, 0, from - k * TILE, 0, end - from, this.rows);
    }
    return tile;
  }

  column(pixels, at, t) {
    const { point, order, rows, middle } = this;
    const { data, units } = point;
    const base = t * units;
    const [low, high] = point.limits;
    const scale = 255 / (high - low);
    const table = this.ramp.table;
    let place = 0;
    for (let row = 0; row < rows; row++) {
      const stop = this.firstPlace(row + 1);
      let best = data[base + (order ? order[place] : place)];
      for (place++; place < stop; place++) {
        const value = data[base + (order ? order[place] : place)];
        if (Math.abs(value - middle) > Math.abs(best - middle) || best !== best) best = value;
      }
      if (best !== best) {
        pixels[row * TILE + at] = 0;
        this.holes.push([t, row]);
        continue;
      }
      const step = Math.round((best - low) * scale);
      pixels[row * TILE + at] = table[step < 0 ? 0 : step > 255 ? 255 : step];
    }
  }
}

let hatching = null; // a pattern in the ink of the last call

/** Hatch a rectangle: no number here. */
export function hatch(context, x, y, width, height, ink) {
  if (hatching?.ink !== ink) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 6;
    const lines = canvas.getContext("2d");
    lines.strokeStyle = ink;
    lines.beginPath();
    for (const shift of [-6, 0, 6]) {
      lines.moveTo(shift, 6);
      lines.lineTo(shift + 6, 0);
    }
    lines.stroke();
    hatching = { ink, pattern: context.createPattern(canvas, "repeat") };
  }
  context.fillStyle = hatching.pattern;
  context.fillRect(x, y, width, height);
}

/** Make a canvas as sharp as the screen; returns its context in css px and the pixel ratio. */
export function sharpen(canvas, width, height) {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d");
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, w, h);
  return { context, ratio };
}
