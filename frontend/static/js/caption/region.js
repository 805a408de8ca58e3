/** A part of the picture that a reader has marked: a rectangle of cells, or none. */

import { massIn, rectangle, rectangleName } from "./cells.js";

export class Region extends EventTarget {
  /** @param {number} columns  of the grid */
  constructor(columns) {
    super();
    this.columns = columns;
    /** @type {{top, left, bottom, right, cells: number[]}|null} */ this.area = null;
  }

  /** From one cell to the opposite corner. */
  set(from, to = from) {
    if (this.area && from === this.from && to === this.to) return;
    Object.assign(this, { from, to, area: rectangle(from, to, this.columns) });
    this.dispatchEvent(new Event("change"));
  }

  clear() {
    if (!this.area) return;
    this.area = null;
    this.dispatchEvent(new Event("change"));
  }

  get name() {
    return this.area ? rectangleName(this.area, this.columns) : "";
  }

  /** The share of a word's attention that lies in it. */
  massOf({ attention }) {
    return attention && this.area ? massIn(attention, this.area.cells) : 0;
  }

  /** As the address has it. */
  get words() {
    return this.area ? `${this.from}-${this.to}` : "";
  }

  restore(words, cells) {
    const found = /^(\d+)-(\d+)$/.exec(words)?.slice(1).map(Number);
    if (found?.every((cell) => cell < cells)) this.set(...found);
    else this.clear();
  }
}
