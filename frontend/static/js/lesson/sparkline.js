/** One unit over the text as a line, with its zero, its limits and a hair line. */

import { color, hue } from "../color.js";
import { sharpen } from "../raster.js";
import { make, short, t } from "../words.js";

const HEIGHT = 72; // css px

export class Sparkline {
  /** @param {(at: number) => void} onGo */
  constructor(onGo) {
    this.canvas = make("canvas", { class: "sparkline", role: "img" });
    this.low = make("span", { class: "num quiet" });
    this.high = make("span", { class: "num quiet" });
    this.node = make("div", { class: "spark" }, make("div", { class: "spark-scale" }, this.high, this.low), this.canvas);
    const go = (event) => this.drawn && onGo(Math.max(0, Math.min(this.drawn.values.length - 1, Math.floor((event.offsetX / this.canvas.clientWidth) * this.drawn.values.length))));
    this.canvas.addEventListener("pointerdown", go);
    this.canvas.addEventListener("pointermove", (event) => event.buttons && go(event));
    new ResizeObserver(() => this.drawn && this.draw(this.drawn, this.at)).observe(this.canvas);
  }

  /** @param {{values: Float32Array, limits: number[], letter: string, name: string}} drawn */
  draw(drawn, at) {
    Object.assign(this, { drawn, at });
    const { values, limits, letter } = drawn;
    const width = this.canvas.clientWidth;
    if (!width) return;
    const scale = parseFloat(color("--scale")) || 1;
    const height = HEIGHT * scale;
    this.canvas.style.height = `${height}px`;
    const { context, ratio } = sharpen(this.canvas, width, height);
    context.scale(ratio, ratio);
    const x = (k) => ((k + 0.5) / values.length) * width;
    const y = (value) => height - 2 - ((value - limits[0]) / (limits[1] - limits[0])) * (height - 4);
    context.strokeStyle = color("--rule-2");
    context.beginPath();
    context.moveTo(0, y(0));
    context.lineTo(width, y(0));
    context.stroke();
    context.strokeStyle = hue(letter);
    context.lineWidth = 1.25 * scale;
    context.lineJoin = "round";
    context.beginPath();
    values.forEach((value, k) => context[k ? "lineTo" : "moveTo"](x(k), y(value)));
    context.stroke();
    if (at >= 0) {
      context.strokeStyle = color("--ink");
      context.lineWidth = scale;
      context.beginPath();
      context.moveTo(x(at), 0);
      context.lineTo(x(at), height);
      context.stroke();
    }
    this.low.textContent = short(limits[0]);
    this.high.textContent = short(limits[1]);
    this.canvas.setAttribute("aria-label", t("{name} over the text, from {low} to {high}", { name: drawn.name, low: short(drawn.low), high: short(drawn.high) }));
  }
}
