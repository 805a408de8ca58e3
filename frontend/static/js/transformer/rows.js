/** Where the cells of an opened head lie, and the labels of its tokens: shared by map and arcs. */

import { color } from "../color.js";

const TALL = [[14, 30], [22, 25], [34, 20], [Infinity, 16]]; // up to so many rows, so high at most
const LETTER = 7.5; // the same of a single character, which is set smaller
const ROOMY = 32; // where there is room
const WIDE = 36; // of a column, where few tokens are looked at
const SLIM = 1.8; // cells are never so many times as high as wide for the sake of labels
const READABLE = 11.5; // css px a row needs for its label
const TALLEST = 820; // rows are never higher in all, so that a label each has room
const SLANT = Math.PI / 3; // of labels over columns
const WIDEST = 116; // of a label
const GAP = 7; // between labels and cells
const FAN = [72, 260]; // narrowest and widest room for arcs
const pen = document.createElement("canvas").getContext("2d");

export class Rows {
  /**
   * @param {{queries: string[], keys: string[], width: number, room: number, beside: boolean,
   *   scale: number}} what  labels; css px; whether arcs stand beside the map
   */
  constructor({ queries, keys, width, room, beside, scale }) {
    Object.assign(this, { queries, keys, beside, scale, slant: SLANT });
    const [T, S] = [queries.length, keys.length];
    this.size = 13 * scale;
    this.single = [...queries, ...keys].every((label) => Array.from(label).length === 1);
    this.readable = (this.single ? LETTER : READABLE) * scale;
    pen.font = this.font(true);
    const widest = (labels) => Math.ceil(Math.max(0, ...labels.map((label) => pen.measureText(label).width)));
    const most = Math.min(WIDEST * scale, width * (beside ? 0.16 : 0.26));
    this.queryWidth = Math.min(most, widest(queries));
    this.keyWidth = Math.min(most, widest(keys));
    const tops = Math.min(WIDEST * scale, widest(keys));
    const gap = (this.gap = GAP * scale);
    // Beside: map, labels of queries, arcs, labels of keys. Else the map has labels of its own.
    const fan = Math.max(FAN[0] * scale, Math.min(FAN[1] * scale, width * 0.24));
    const taken = this.queryWidth + (beside ? this.keyWidth + fan + 4 * gap : gap);
    const left = Math.max(120, width - taken);
    const side = Math.max(220, room);
    const high = Math.max(TALL.find(([many]) => Math.max(T, S) <= many)[1] * scale, Math.min(ROOMY * scale, side / Math.max(T, S)));
    const fair = side / Math.max(T, S);
    const legible = Math.min(this.readable, (TALLEST * scale) / Math.max(T, S), (SLIM * left) / S);
    const pitch = Math.min(high, Math.max(fair, legible));
    this.cellHeight = pitch;
    this.cellWidth = Math.min(left / S, Math.max(pitch * 1.15, Math.min(WIDE * scale, side / S)));
    this.slanted = !this.single && tops > this.cellWidth - 3;
    if (this.single) this.size = Math.max(9 * scale, Math.min(this.size, 1.25 * Math.min(pitch, this.cellWidth)));
    const lean = this.slanted ? Math.cos(SLANT) * tops : 0;
    // The last labels lean out to the right of their columns.
    const over = beside ? Math.max(0, lean - this.queryWidth - gap) : lean;
    if (this.cellWidth * S + over > left) this.cellWidth = Math.max(left / 4, left - over) / S;
    this.tops = tops;
    this.top = Math.ceil((this.slanted ? Math.sin(SLANT) * tops + 8 * scale : 18 * scale) + gap / 2);
    this.left = beside ? 1 : this.queryWidth + gap;
    this.width = Math.ceil(this.left + this.cellWidth * S + lean + 2);
    this.mapWidth = this.cellWidth * S;
    this.height = Math.ceil(this.top + this.cellHeight * T + 3);
    // Arcs: tokens that look stand at their rows of the map; as many keys stand beside them, fewer
    // stand looser and in the middle.
    this.arcsTop = beside ? this.top : 8 * scale;
    const tall = T * pitch;
    this.keyPitch = S === T ? pitch : Math.max(Math.min(high, tall / S), Math.min(pitch, this.readable));
    this.keyTop = this.arcsTop + Math.max(0, (tall - S * this.keyPitch) / 2);
    const free = (beside ? width - this.mapWidth - gap : width) - this.queryWidth - this.keyWidth - 2 * gap;
    this.fan = Math.max(48, Math.min(FAN[1] * scale, free));
    this.arcsHeight = Math.ceil(Math.max(this.arcsTop + tall, this.keyTop + S * this.keyPitch) + 3);
    this.arcsWidth = Math.ceil(this.queryWidth + this.fan + this.keyWidth + 2 * gap);
  }

  font(strong) {
    return `${strong ? "620 " : ""}${this.size}px ${color("--sans")}`;
  }

  x(key) {
    return this.left + key * this.cellWidth;
  }

  y(query) {
    return this.top + query * this.cellHeight;
  }

  /** The middle of a token's place among the arcs. @param {"query"|"key"} side */
  arcAt(side, k) {
    return side === "query" ? this.arcsTop + (k + 0.5) * this.cellHeight : this.keyTop + (k + 0.5) * this.keyPitch;
  }

  /** Only every so many labels have room along a pitch. */
  every(pitch) {
    return Math.max(1, Math.ceil(this.readable / pitch));
  }

  /** The cell at a place of the map; -1 in the labels of the other side. */
  at(x, y) {
    const key = Math.floor((x - this.left) / this.cellWidth);
    const query = Math.floor((y - this.top) / this.cellHeight);
    return {
      query: query >= 0 && query < this.queries.length ? query : -1,
      key: key >= 0 && key < this.keys.length ? key : -1,
    };
  }
}
