/** The picture of a line of text over a time axis: each column where the network read it. */

import { color } from "../color.js";
import { sharpen } from "../raster.js";
import { gestures } from "../time-axis.js";
import { make, t } from "../words.js";

const STRIDE = 4; // pixels of the picture from a column to the next

export class LineStrip {
  /** @param {{height: number, onGo: (at: number) => void}} options  height of the picture, pixels */
  constructor(axis, { height, onGo }) {
    Object.assign(this, { axis, height });
    this.canvas = make("canvas", { class: "plot", role: "img" });
    this.element = make("div", { class: "strip line-strip" }, this.canvas);
    gestures(this.canvas, axis, onGo);
  }

  /** Left edge of a pixel of the picture in css px: half a column lies before the first. */
  x(pixel) {
    return this.axis.x(pixel / STRIDE - 0.5);
  }

  /** @param {{text: string, pixels: {values: Uint8Array, rows: number, columns: number}}} found */
  draw({ text, pixels }) {
    const { axis, canvas } = this;
    const { values, rows, columns } = pixels;
    if (this.pixels !== pixels) {
      this.pixels = pixels;
      this.image = grey(values, rows, columns);
      canvas.setAttribute("aria-label", t("the picture, {width} by {height} pixels; read as: {text}", { width: columns, height: rows, text }));
    }
    const tall = Math.round((rows * axis.columnWidth) / STRIDE);
    canvas.style.height = `${tall}px`;
    const { context, ratio } = sharpen(canvas, axis.width, tall);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.image, this.x(0), 0, this.x(columns) - this.x(0), tall);
    context.strokeStyle = color("--rule");
    context.strokeRect(this.x(0) + 0.5, 0.5, this.x(columns) - this.x(0) - 1, tall - 1);
  }
}

/** Grey pixels as a picture that can be drawn. */
function grey(values, rows, columns) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const words = new Uint32Array(image.data.buffer);
  for (let k = 0; k < values.length; k++) words[k] = ((255 << 24) | (values[k] * 0x010101)) >>> 0;
  context.putImageData(image, 0, 0);
  return canvas;
}
