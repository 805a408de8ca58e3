/** What the twelve steps share: a place for their figure, lines of numbers, a drawing when asked. */

import { make } from "../../words.js";
import { largestOf } from "./numbers.js";

const ROOM = 400; // css px that all rows of a map take, about

export class Step {
  /** @param {import("./walk.js").Walk} walk @param {HTMLElement} section */
  constructor(walk, section) {
    Object.assign(this, { walk, section });
    this.figure = section.querySelector(".step-figure");
    this.filled = section.querySelector(".step-filled");
    this.build();
  }

  /** Make what stays. */
  build() {}

  /** Draw the numbers that are here. */
  draw() {}

  /** Ask for numbers that no other step needs, once somebody is near. */
  fetch() {}

  /** What is saved: matrices with names. @returns {{name: string, rows: string[], columns: string[], values: ArrayLike<number>}[]} */
  tables() {
    return [];
  }

  /** Lines of numbers under the formula. */
  fill(...lines) {
    this.filled.replaceChildren(...lines.filter(Boolean));
  }

  /** A part of the figure. */
  block(name, ...children) {
    const node = make("div", { class: name }, ...children);
    this.figure.append(node);
    return node;
  }

  // What the formulas speak of.

  get labels() {
    return this.walk.reading.labels;
  }

  /** The label of the token that looks. */
  get me() {
    return this.labels[this.walk.query];
  }

  /** The row of the token that looks, of (T, width) numbers. */
  mine(values, width) {
    const { query } = this.walk;
    return values.subarray(query * width, (query + 1) * width);
  }

  /** Css px of a row of a map of all tokens. */
  get rowHeight() {
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    return Math.round(scale * Math.max(14, Math.min(22, Math.floor(ROOM / this.walk.T))));
  }

  /** Css px of the labels beside a map. */
  get namesWidth() {
    return parseFloat(getComputedStyle(this.figure).getPropertyValue("--names"));
  }

  /** Numbers of units, for an axis. */
  units(count) {
    return Array.from({ length: count }, (_, u) => `#${u}`);
  }

  /** The unit that a line of numbers speaks of: the one pointed at, else the largest. */
  spoken(unit, values) {
    return unit >= 0 && unit < values.length ? unit : largestOf(values, true);
  }
}
