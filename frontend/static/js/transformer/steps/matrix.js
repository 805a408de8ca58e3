/**
 * A matrix of the network as a map: its name and sizes above, tokens along its sides, a number in
 * every cell. Pointer and arrow keys tell the exact number; a click chooses.
 *
 * With more columns than pixels a cell stands for several units and shows, row by row, the one
 * farthest from 0.
 */

import { attentionRamp, color, signedRamp } from "../../color.js";
import { full, make } from "../../words.js";
import { CellMap } from "../cell-map.js";
import { hush, tell } from "./tip.js";

const LEAST = 11; // css px a row or column needs for its label
const FINEST = 1.5; // css px of a cell

export class Matrix {
  /**
   * @param {object} options
   * @param {string} options.label  for a listener
   * @param {Node[]} [options.title] @param {"signed"|"attention"} [options.ramp]
   * @param {(row: number, column: number) => string} [options.describe]  what stands before the number
   * @param {(row: number, column: number) => void} [options.onPoint]  -1, -1: nothing
   * @param {(row: number, column: number) => void} [options.onChoose]
   */
  constructor({ label, title = [], ramp = "signed", describe = () => "", onPoint = () => {}, onChoose = null }) {
    Object.assign(this, { ramp, describe, onPoint, onChoose, marks: [] });
    this.title = make("p", { class: "mx-title" }, ...title);
    this.left = make("div", { class: "mx-rows", "aria-hidden": "true" });
    this.below = make("div", { class: "mx-columns", "aria-hidden": "true" });
    this.middle = make("div", { class: "mx-cells" });
    this.map = new CellMap(this.middle, { label, onPoint: (row, at) => this.point(row, at), onChoose: (row, at) => onChoose?.(row, this.unit(row, at)) });
    this.map.canvas.classList.toggle("chooses", Boolean(onChoose));
    this.map.canvas.addEventListener("pointermove", (event) => this.follow(event));
    this.element = make("div", { class: "mx" }, ...(title.length ? [this.title] : []), this.left, this.middle, this.below);
  }

  /**
   * @param {object} shown
   * @param {ArrayLike<number>} shown.values  (rows, columns)
   * @param {number} shown.limit  the end of the range, which goes from -limit, or from 0 for weights
   * @param {number} [shown.width] @param {number} shown.height  css px of all cells; as wide as there is room
   * @param {string[]} [shown.rowLabels] @param {string[]} [shown.columnLabels]
   */
  show({ values, rows, columns, limit, width: wished = 0, height, rowLabels = null, columnLabels = null }) {
    this.label(this.left, rowLabels, height / rows, "row");
    const width = wished || this.middle.clientWidth; // once the labels have taken theirs
    this.label(this.below, columnLabels, width / columns, "column");
    const pooled = Math.ceil(columns / Math.max(1, Math.floor(width / FINEST)));
    Object.assign(this, { values, rows, columns, limit, pooled, width, height });
    this.restyle();
  }

  /** Colours have changed, or numbers. */
  restyle() {
    if (!this.values) return;
    const { values, rows, columns, pooled, limit } = this;
    const across = Math.ceil(columns / pooled);
    const cells = pooled === 1 ? values : Float64Array.from({ length: rows * across }, (_, at) => values[Math.floor(at / across) * columns + this.unit(Math.floor(at / across), at % across)]);
    if (this.ramp === "signed") this.map.set(cells, rows, across, signedRamp(), [-limit, limit]);
    else this.map.set(cells.map(Math.sqrt), rows, across, attentionRamp(), [0, Math.sqrt(limit)]);
    this.draw();
  }

  label(host, labels, room, side) {
    host.hidden = !labels;
    if (!labels) return;
    host.style.setProperty("--cell", `${room}px`);
    host.classList.toggle("tight", room < LEAST);
    host.classList.toggle("upright", side === "column" && labels.some((text) => text.length > 2 && 7.5 * text.length > room));
    if (host.textContent !== labels.join("") || host.childElementCount !== labels.length) {
      host.replaceChildren(...labels.map((text) => make("span", {}, text)));
    }
  }

  /** The unit that a cell shows. */
  unit(row, at) {
    const { pooled, columns, values } = this;
    if (pooled === 1 || row < 0) return at;
    let best = at * pooled;
    for (let u = best + 1; u < Math.min(columns, (at + 1) * pooled); u++) {
      if (Math.abs(values[row * columns + u]) > Math.abs(values[row * columns + best])) best = u;
    }
    return best;
  }

  // What is pointed at.

  follow({ clientX, clientY }) {
    this.pointer = { x: clientX, y: clientY };
    if (this.told) tell(this.told, this.pointer);
  }

  point(row, at) {
    if (row < 0) {
      this.told = "";
      hush();
      return this.onPoint(-1, -1);
    }
    const column = this.unit(row, at);
    this.told = this.words(row, column);
    const focused = document.activeElement === this.map.canvas && !this.map.canvas.matches(":hover");
    if (focused) {
      const { left, top } = this.map.canvas.getBoundingClientRect();
      const [x, y, w] = this.map.box(row, at);
      tell(this.told, { x: left + x + w / 2, y: top + y }, true);
    } else if (this.pointer) tell(this.told, this.pointer);
    this.onPoint(row, column);
  }

  words(row, column) {
    const value = this.values[row * this.columns + column];
    const shown = value !== value ? "−∞" : full(Number(value.toPrecision(9)));
    return [this.describe(row, column), shown].filter(Boolean).join("  ");
  }

  // Marks.

  /**
   * Frames upon the map.
   * @param {{row?: number, column?: number, ink: string, dash?: boolean}[]} marks  ink: a custom property
   */
  mark(marks) {
    this.marks = marks;
    this.draw();
  }

  draw() {
    const { map, width, height, pooled, marks } = this;
    if (!this.values || !(width > 0)) return;
    const context = map.draw(width, height);
    const name = (host, k, ink) => host.children[k]?.style.setProperty("color", `var(${ink})`);
    for (const host of [this.left, this.below]) for (const node of host.children) node.className = "";
    for (const { row = -1, column = -1, ink, dash = false } of marks) {
      const at = Math.floor(column / pooled);
      const box = row >= 0 && column >= 0 ? map.box(row, at) : row >= 0 ? map.box(row, 0, 1, map.columns) : map.box(0, at, map.rows, 1);
      map.frame(context, box, color(ink), dash ? 1 : 1.75, dash ? [2, 2] : []);
      for (const [host, k] of [[this.left, row], [this.below, column]]) {
        if (k < 0 || !host.children[k]) continue;
        host.children[k].className = "on";
        name(host, k, ink);
      }
    }
    for (const host of [this.left, this.below]) for (const node of host.children) if (!node.className) node.style.color = "";
  }
}
