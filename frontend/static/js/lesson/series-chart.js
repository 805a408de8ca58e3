/**
 * A series of numbers over months, its parts, forecasts as lines over it, and a window that stands
 * on it: dragged with a pointer, moved with arrow keys.
 */

import { at as place, svg } from "../decoder/svg.js";
import { make, t } from "../words.js";

const MARGIN = { left: 40, right: 14, top: 30, bottom: 26 }; // css px
const STEPS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000]; // between two lines of the scale

/** Lines by name, the order in which they are drawn. */
export const LINES = ["seasonal", "naive", "fitted", "forecast"];

export class SeriesChart {
  /**
   * @param {HTMLElement} host
   * @param {{onMove: (at: number) => void, onHover: (month: number|null) => void, place: () => number}} calls
   */
  constructor(host, calls) {
    Object.assign(this, { host, calls, hovered: null });
    this.drawing = svg("svg", { class: "series-chart", tabindex: "0", role: "slider", "aria-label": t("the month that is forecast"), "aria-orientation": "horizontal" });
    host.replaceChildren(this.drawing);
    this.listen();
  }

  /**
   * @param {object} found
   * @param {Float32Array} found.values  the series
   * @param {Record<string, Float32Array>} found.lines  by name, over the same months; NaN: nothing
   * @param {{name: string, from: number, to: number}[]} found.parts
   * @param {number} found.at  the month after the window
   * @param {number} found.window @param {number} found.length  months that the scale shows
   * @param {{value: number, text: string}|null} found.highest
   */
  draw(found) {
    this.found = found;
    const scale = this.scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1;
    const width = this.width = Math.max(280, this.host.clientWidth);
    const height = this.height = Math.round(Math.min(Math.min(380, Math.max(240, width * 0.36)) * scale, Math.max(240, innerHeight * 0.42))); // the map below is to be seen with it
    this.edge = Object.fromEntries(Object.entries(MARGIN).map(([side, size]) => [side, size * scale]));
    this.setTop(found);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    Object.assign(this.drawing.style, { width: `${width}px`, height: `${height}px` });
    this.drawing.setAttribute("aria-valuemin", String(found.window));
    this.drawing.setAttribute("aria-valuemax", String(found.values.length));
    this.drawing.setAttribute("aria-valuenow", String(found.at));
    this.drawing.setAttribute("aria-valuetext", found.spoken);
    this.drawing.replaceChildren(this.box(), ...this.scales(), ...this.parts(), ...this.most(), ...this.paths(), ...this.target());
    this.mark = svg("g");
    this.drawing.append(this.mark);
    this.hover(this.hovered);
  }

  setTop({ values, lines }) {
    let top = 1;
    for (const line of [values, ...Object.values(lines)]) for (const value of line) if (value > top) top = value;
    this.step = STEPS.find((step) => top / step <= 5) ?? top;
    this.top = Math.ceil((top * 1.02) / this.step) * this.step;
  }

  x(month) {
    const { left, right } = this.edge;
    return left + (month / Math.max(1, this.found.length - 1)) * (this.width - left - right);
  }

  y(value) {
    const { top, bottom } = this.edge;
    return this.height - bottom - (value / this.top) * (this.height - top - bottom);
  }

  /** Where the window stands on the page, for what is drawn under it. @returns {[number, number]} */
  windowEdges() {
    const half = (this.x(1) - this.x(0)) / 2;
    return [this.x(this.found.at - this.found.window) - half, this.x(this.found.at - 1) + half];
  }

  box() {
    const [left, right] = this.windowEdges();
    return svg("rect", { class: "series-window", x: place(left), y: this.edge.top, width: place(right - left), height: this.height - this.edge.top - this.edge.bottom });
  }

  scales() {
    const marks = [];
    const { left, right, bottom } = this.edge;
    for (let value = 0; value <= this.top; value += this.step) {
      const y = place(this.y(value));
      marks.push(svg("line", { class: "series-rule", x1: left, x2: this.width - right, y1: y, y2: y }));
      marks.push(svg("text", { class: "series-tick", x: left - 6, y: y + 4 * this.scale, "text-anchor": "end" }, String(value)));
    }
    const year = this.x(12) - this.x(0);
    const every = 12 * Math.ceil((44 * this.scale) / year);
    for (let month = 0; month < this.found.length; month += every) {
      const x = place(this.x(month));
      marks.push(svg("line", { class: "series-rule", x1: x, x2: x, y1: this.height - bottom, y2: this.height - bottom + 4 }));
      marks.push(svg("text", { class: "series-tick", x, y: this.height - 6 * this.scale, "text-anchor": month ? "middle" : "start" }, this.found.tick(month)));
    }
    return marks;
  }

  parts() {
    const marks = [];
    for (const [k, part] of this.found.parts.entries()) {
      const from = this.x(part.from - (k ? 0.5 : 0));
      const x = place(from);
      if (k) marks.push(svg("line", { class: "series-part", x1: x, x2: x, y1: 4, y2: this.height - this.edge.bottom }));
      const room = this.x(part.to - 0.5) - from;
      const name = room < part.name.length * 7 * this.scale ? part.brief : part.name;
      marks.push(svg("text", { class: "series-name", x: x + 5, y: 17 * this.scale }, name));
    }
    return marks;
  }

  /** The largest value that the network was trained on. */
  most() {
    const { highest } = this.found;
    if (!highest) return [];
    const y = place(this.y(highest.value));
    const fits = highest.text.length * 7 * this.scale < this.x(72) - this.x(0); // where the series is low
    return [
      svg("line", { class: "series-highest", x1: this.edge.left, x2: this.width - this.edge.right, y1: y, y2: y }),
      svg("text", { class: "series-tick", x: this.edge.left + 5, y: y - 5 }, fits ? highest.text : String(Math.round(highest.value))),
    ];
  }

  paths() {
    const { values, parts, lines } = this.found;
    const stop = parts.length ? parts[0].to : values.length;
    const marks = [svg("path", { class: "series-true", d: this.path(values, 0, stop) })];
    if (stop < values.length) {
      marks.push(svg("path", { class: "series-true later", d: this.path(values, stop - 1, values.length) }));
      const dots = svg("g", { class: "series-dots" });
      for (let month = stop; month < values.length; month++) dots.append(svg("circle", { cx: place(this.x(month)), cy: place(this.y(values[month])), r: this.width < 600 ? 1.2 : 1.8 }));
      marks.push(dots);
    }
    for (const name of LINES) if (lines[name]) marks.push(svg("path", { class: `series-line of-${name}`, d: this.path(lines[name], 0, lines[name].length) }));
    return marks;
  }

  path(line, from, to) {
    let d = "";
    let down = false;
    for (let month = from; month < to; month++) {
      if (Number.isNaN(line[month])) down = false;
      else {
        d += `${down ? "L" : "M"}${place(this.x(month))} ${place(this.y(line[month]))}`;
        down = true;
      }
    }
    return d;
  }

  /** The month that is forecast: what it was, and what is said. */
  target() {
    const { at, values, prediction } = this.found;
    const x = place(this.x(at));
    const marks = [svg("circle", { class: "series-said", cx: x, cy: place(this.y(prediction)), r: 5 * this.scale })];
    if (at < values.length) {
      marks.unshift(svg("line", { class: "series-error", x1: x, x2: x, y1: place(this.y(values[at])), y2: place(this.y(prediction)) }));
      marks.push(svg("circle", { class: "series-was", cx: x, cy: place(this.y(values[at])), r: 4 * this.scale }));
    }
    return marks;
  }

  hover(month) {
    this.hovered = month;
    if (!this.mark) return;
    const shown = month !== null && month < this.found.length;
    const x = shown ? place(this.x(month)) : 0;
    this.mark.replaceChildren(...(shown ? [svg("line", { class: "series-hair", x1: x, x2: x, y1: this.edge.top, y2: this.height - this.edge.bottom })] : []));
  }

  // -- hands ------------------------------------------------------------------------------------

  listen() {
    const { drawing, calls } = this;
    const month = (event) => {
      const { left, right } = this.edge;
      const share = (event.clientX - drawing.getBoundingClientRect().left - left) / (this.width - left - right);
      return Math.max(0, Math.min(this.found.length - 1, Math.round(share * (this.found.length - 1))));
    };
    const inside = (at) => Math.max(this.found.window, Math.min(this.found.values.length, at));
    drawing.addEventListener("pointerdown", (event) => {
      if (!this.found || event.button) return;
      const at = month(event);
      const { window } = this.found;
      const holds = at >= this.found.at - window && at <= this.found.at; // the window is taken where it is
      this.drag = holds ? this.found.at - at : 0;
      drawing.setPointerCapture(event.pointerId);
      this.dragging = true;
      if (!holds) calls.onMove(inside(at));
    });
    drawing.addEventListener("pointermove", (event) => {
      if (!this.found) return;
      const at = month(event);
      if (this.dragging) calls.onMove(inside(at + this.drag));
      this.hover(at);
      calls.onHover(at);
    });
    for (const type of ["pointerup", "pointercancel"]) drawing.addEventListener(type, () => (this.dragging = false));
    drawing.addEventListener("pointerleave", () => {
      this.hover(null);
      calls.onHover(null);
    });
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 12, PageDown: -12, Home: -1e6, End: 1e6 }[event.key];
      if (!step || !this.found || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation(); // arrow keys turn the parts of a lesson that is presented
      calls.onMove(inside(calls.place() + step)); // from where it was last sent, drawn or not
    });
  }
}

/** A piece of a line for the legend. */
export function sample(name) {
  const drawing = svg("svg", { class: "series-sample", viewBox: "0 0 28 10", width: "28", height: "10", "aria-hidden": "true" }, svg("path", { class: name === "true" ? "series-true" : `series-line of-${name}`, d: "M1 5H27" }));
  return make("span", {}, drawing);
}
