/**
 * Lines over numbers that were tried, on a plain or a logarithmic axis, level lines behind them, and
 * a hair at one of the numbers: clicked, or moved with arrow keys.
 */

import { at as place, svg } from "../decoder/svg.js";
import { make } from "../words.js";

const MARGIN = { left: 46, right: 16, top: 12, bottom: 42 }; // css px
const STEPS = [0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]; // between two lines of the scale

export class LineChart {
  /**
   * @param {HTMLElement} host @param {string} label what the slider chooses
   * @param {(at: number) => void} onMove
   */
  constructor(host, label, onMove) {
    Object.assign(this, { host, onMove });
    this.legend = make("div", { class: "lines-legend" });
    this.drawing = svg("svg", { class: "lines-chart", tabindex: "0", role: "slider", "aria-label": label });
    host.replaceChildren(this.legend, this.drawing);
    this.drawing.addEventListener("click", (event) => {
      const x = event.clientX - this.drawing.getBoundingClientRect().left;
      const distances = this.found.xs.map((value) => Math.abs(this.x(value) - x));
      this.onMove(distances.indexOf(Math.min(...distances)));
    });
    this.drawing.addEventListener("keydown", (event) => {
      const { at, xs } = this.found;
      const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: xs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.onMove(Math.max(0, Math.min(xs.length - 1, to)));
    });
  }

  /**
   * @param {object} found
   * @param {number[]} found.xs  the numbers that were tried, rising
   * @param {{name: string, kind: string, ys: number[], each?: number[][]}[]} found.lines  a value for
   *   each x (NaN: none), and what single runs gave
   * @param {{name: string, kind: string, y: number}[]} found.levels
   * @param {boolean} found.log  of the axis across
   * @param {(x: number) => string} found.tick @param {string} found.across @param {string} found.up  titles
   * @param {number} found.at  which x @param {string} found.spoken  what stands there
   */
  draw(found) {
    this.found = found;
    const { xs, lines, levels, at } = found;
    const scale = this.scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1;
    const width = this.width = Math.max(260, this.host.clientWidth);
    const high = Math.min(340, Math.max(230, width * 0.4)) * Math.min(scale, 1.3);
    const height = this.height = Math.round(scale > 1 ? Math.min(high, Math.max(230, innerHeight * 0.33)) : high); // what is said below is to be seen with it
    this.edge = Object.fromEntries(Object.entries(MARGIN).map(([side, size]) => [side, size * scale]));
    const all = [...lines.flatMap((line) => [...line.ys, ...(line.each ?? []).flat()]), ...levels.map((level) => level.y)].filter(Number.isFinite);
    this.step = STEPS.find((step) => (Math.max(...all) - Math.min(...all)) / step <= 6) ?? 1000;
    this.low = Math.floor(Math.min(...all) / this.step + 1e-6) * this.step;
    this.high = Math.ceil(Math.max(...all) / this.step - 1e-6) * this.step;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    Object.assign(this.drawing.style, { width: `${width}px`, height: `${height}px` });
    for (const [name, value] of [["min", 0], ["max", xs.length - 1], ["now", at], ["text", found.spoken]]) this.drawing.setAttribute(`aria-value${name}`, String(value));
    const sample = (kind) => svg("svg", { class: "lines-sample", width: 30 * scale, height: 10 * scale, viewBox: "0 0 30 10" }, svg("line", { class: `lines-line of-${kind}`, x1: 0, x2: 30, y1: 5, y2: 5 }));
    this.legend.replaceChildren(...[...lines, ...levels].map(({ name, kind }) => make("span", {}, sample(kind), name)));
    this.drawing.replaceChildren(...this.scales(), ...this.marks());
  }

  x(value) {
    const { xs, log } = this.found;
    const { left, right } = this.edge;
    const size = log ? Math.log : Number;
    const [first, last] = [size(xs[0]), size(xs.at(-1))];
    const inset = 14 * this.scale; // the first numbers stand off the scale
    return left + inset + ((size(value) - first) / (last - first || 1)) * (this.width - left - right - 2 * inset);
  }

  y(value) {
    const { top, bottom } = this.edge;
    return this.height - bottom - ((value - this.low) / (this.high - this.low || 1)) * (this.height - top - bottom);
  }

  scales() {
    const { left, right, top, bottom } = this.edge;
    const { xs, tick, across, at } = this.found;
    const marks = [];
    const digits = this.step < 0.1 || this.step === 0.25 ? 2 : this.step < 5 ? 1 : 0;
    for (let k = 0; this.low + k * this.step <= this.high + 1e-9; k++) {
      const value = this.low + k * this.step;
      const y = place(this.y(value));
      marks.push(svg("line", { class: "lines-rule", x1: left, x2: this.width - right, y1: y, y2: y }));
      marks.push(svg("text", { class: "lines-tick", x: left - 6, y: y + 4 * this.scale, "text-anchor": "end" }, value.toFixed(digits)));
    }
    let free = -Infinity;
    for (const value of xs) {
      const [x, text] = [this.x(value), tick(value)];
      const half = text.length * 3.6 * this.scale;
      if (x - half < free) continue;
      free = x + half + 8 * this.scale;
      marks.push(svg("text", { class: "lines-tick", x: place(x), y: this.height - bottom + 16 * this.scale, "text-anchor": "middle" }, text));
    }
    marks.push(svg("text", { class: "lines-title", x: this.width - right, y: this.height - 6 * this.scale, "text-anchor": "end" }, across));
    const hair = place(this.x(xs[at]));
    marks.push(svg("line", { class: "lines-hair", x1: hair, x2: hair, y1: top, y2: this.height - bottom }));
    return marks;
  }

  marks() {
    const { xs, lines, levels, at } = this.found;
    const { left, right } = this.edge;
    const marks = levels.map(({ kind, y }) => svg("line", { class: `lines-line of-${kind}`, x1: left, x2: this.width - right, y1: place(this.y(y)), y2: place(this.y(y)) }));
    for (const { kind, ys, each } of lines) {
      let d = "";
      ys.forEach((y, k) => (d += Number.isFinite(y) ? `${d ? "L" : "M"}${place(this.x(xs[k]))} ${place(this.y(y))}` : ""));
      marks.push(svg("path", { class: `lines-line of-${kind}`, d }));
      for (const [k, values] of (each ?? []).entries()) for (const y of values) marks.push(svg("circle", { class: `lines-dot of-${kind}`, cx: place(this.x(xs[k])), cy: place(this.y(y)), r: 2.5 * this.scale }));
      if (Number.isFinite(ys[at])) marks.push(svg("circle", { class: `lines-here of-${kind}`, cx: place(this.x(xs[at])), cy: place(this.y(ys[at])), r: 4.5 * this.scale }));
    }
    return marks;
  }
}
