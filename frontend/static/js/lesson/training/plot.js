/** A small chart on a canvas: two axes with ticks and names, and lines in them. */

import { color } from "../../color.js";
import { sharpen } from "../../raster.js";
import { fit, make } from "../../words.js";

/** How large the page's type is, 1 where a rem is 16 px. */
export function typeScale() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/** Round numbers from low to high, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

const BETWEEN = [[0.7, [1, 1.5, 2, 3, 4, 5, 6, 8]], [1.6, [1, 2, 5]], [Infinity, [1]]]; // ticks, up to how many decades

/** Ticks of a logarithmic axis: powers of ten, and some between them where there are few. */
export function logTicks(low, high) {
  const found = [];
  const decades = Math.log10(high / low);
  const [, steps] = BETWEEN.find(([most]) => decades < most);
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const n of steps) {
      const value = Number(`${n}e${power}`);
      if (value >= low * 0.999 && value <= high * 1.001) found.push(value);
    }
  }
  return found;
}

export class Plot {
  /** @param {string} name of the canvas for who cannot see it */
  constructor(name) {
    this.canvas = make("canvas", { class: "training-plot", role: "img", "aria-label": name });
  }

  /**
   * Clear, and draw the axes.
   * @param {{x: [number, number], y: [number, number], log?: boolean, xTicks: number[], yTicks: number[],
   *   xText?: (value: number) => string, yText?: (value: number) => string, xName: string, yName: string}} axes
   */
  begin(axes) {
    const { canvas } = this;
    const scale = (this.scale = typeScale());
    const width = (this.width = canvas.clientWidth);
    const height = (this.height = canvas.clientHeight);
    const { context, ratio } = sharpen(canvas, width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(this, { context, axes, left: 44 * scale, right: width - 16 * scale, top: 20 * scale, bottom: height - 34 * scale });
    context.font = `${11 * scale}px ${color("--mono")}`;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    for (const value of axes.yTicks) {
      const y = Math.round(this.y(value)) + 0.5;
      this.stroke([[this.left, y], [this.right, y]], { ink: color("--rule") });
      this.text((axes.yText ?? String)(value), this.left - 6 * scale, y, "right");
    }
    for (const value of axes.xTicks) {
      const x = this.x(value);
      this.stroke([[x, this.bottom], [x, this.bottom + 4 * scale]], { ink: color("--rule-2") });
      this.text((axes.xText ?? String)(value), x, this.bottom + 12 * scale, "center");
    }
    this.stroke([[this.left, this.bottom], [this.right, this.bottom]], { ink: color("--rule-2") });
    context.font = `${11 * scale}px ${color("--sans")}`;
    this.text(fit(context, axes.yName, width), 0, 7 * scale, "left");
    this.text(axes.xName, width, height - 7 * scale, "right");
    return context;
  }

  x(value) {
    const [low, high] = this.axes.x;
    return this.left + ((value - low) / (high - low || 1)) * (this.right - this.left);
  }

  y(value) {
    const [low, high] = this.axes.y;
    const share = this.axes.log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return this.bottom - share * (this.bottom - this.top);
  }

  text(words, x, y, align, ink = color("--ink-2")) {
    this.context.textAlign = align;
    this.context.fillStyle = ink;
    this.context.fillText(words, x, y);
  }

  /** A line through points of the canvas. */
  stroke(points, { ink, width = 1, dash = [], alpha = 1 }) {
    const { context, scale } = this;
    context.save();
    context.beginPath();
    points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
    Object.assign(context, { strokeStyle: ink, lineWidth: width * scale, globalAlpha: alpha, lineJoin: "round" });
    context.setLineDash(dash.map((length) => length * scale));
    context.stroke();
    context.restore();
  }

  /** A line through values, kept inside the axes. @param {[number, number][]} points */
  line(points, style) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(this.left, this.top - 2, this.right - this.left + 2, this.bottom - this.top + 4);
    context.clip();
    this.stroke(points.map(([x, y]) => [this.x(x), this.y(y)]), style);
    context.restore();
  }

  /** A point of a curve. */
  dot(x, y, ink) {
    const { context, scale } = this;
    context.beginPath();
    context.arc(this.x(x), Math.max(this.top, Math.min(this.bottom, this.y(y))), 4 * scale, 0, 7);
    context.fillStyle = ink;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = color("--paper");
    context.stroke();
  }
}
