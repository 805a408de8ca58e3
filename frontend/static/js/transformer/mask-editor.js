/**
 * Where tokens may not look: a small map of queries and keys on which rectangles are painted, by
 * pointer, finger or keys. What comes later than a query of a causal stack is not there anyway.
 */

import { attentionRamp, color } from "../color.js";
import { hatch } from "../raster.js";
import { make, t } from "../words.js";
import { CellMap } from "./cell-map.js";
import { labelsOf } from "./labels.js";
import * as masks from "./masks.js";
import { View } from "./view.js";

const LARGEST = 264; // css px of the map
const CELL = 22; // of a cell, at most
const MOST = 256; // rectangles that the server takes

export class MaskEditor extends View {
  /** @param {import("./store.js").Store} store @param {HTMLElement} host */
  constructor(store, host) {
    super(store, host);
    // Of a translator it is the look across that can be forbidden.
    this.stack = store.translates ? "cross" : "";
    this.causal = !store.translates && store.causal("");
    this.from = null; // the cell where a rectangle was begun
    this.build();
    for (const type of ["edit", "select", "hover"]) store.addEventListener(type, () => this.wake());
    store.addEventListener("read", () => this.read());
    this.read();
  }

  build() {
    const { host } = this;
    this.mapHost = make("div", { class: "mask-map" });
    this.readout = make("p", { class: "note mask-readout" });
    const preset = (text, make_) => {
      const node = make("button", { type: "button", class: "plain" }, text);
      node.addEventListener("click", () => this.block(make_()));
      return node;
    };
    this.last = make("input", { type: "number", class: "field num", min: "1", max: "999", value: "4", "aria-label": t("how many tokens back it may look"), autocomplete: "off" });
    this.last.addEventListener("change", () => this.block(masks.lastOnly(this.back, this.rows)));
    const row = make("div", { class: "presets", role: "group", "aria-label": t("masks to begin with") }, preset(t("as it is"), () => []));
    if (!this.store.translates) row.append(make("span", { class: "pair" }, preset(t("only the last"), () => this.lastOnly()), this.last), preset(t("not the first"), () => masks.notFirst(this.rows)));
    if (!this.causal && !this.store.translates) row.append(preset(t("nothing later"), () => masks.notLater(this.rows)));
    host.append(this.mapHost, row, this.readout);
    this.map = new CellMap(this.mapHost, { label: t("Where tokens may look. Arrow keys move, with Shift they mark a rectangle; Enter forbids it, or allows it again.") , onPoint: (row_, column) => this.point(row_, column) });
    const { canvas } = this.map;
    canvas.classList.add("mask");
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("keydown", (event) => this.key(event), true);
  }

  get back() {
    return Math.max(1, Math.round(Number(this.last.value)) || 1);
  }

  /** Of a stack that sees both ways: neither farther back nor ahead. */
  lastOnly() {
    const before = masks.lastOnly(this.back, this.rows);
    return this.causal ? before : [...before, ...masks.notLater(this.rows)];
  }

  get rows() {
    return this.store.queries(this.stack).length;
  }

  get columns() {
    return this.store.keys(this.stack).length;
  }

  get blocked() {
    return this.store.state.edits.blocked;
  }

  block(blocked) {
    const { edits } = this.store.state;
    this.refused = blocked.length > MOST;
    if (this.refused) return this.wake();
    this.store.set({ edits: { ...edits, blocked } });
  }

  read() {
    const { store, stack } = this;
    this.queryLabels = labelsOf(store.queries(stack));
    this.keyLabels = labelsOf(store.keys(stack));
    const { map, rows, columns } = this;
    // A rectangle that is being painted goes on where the text is as long as it was.
    if (map.rows !== rows || map.columns !== columns) this.from = null;
    map.shape(rows, columns);
    this.wake();
  }

  // Hands.

  point(row, column) {
    const here = this.store.state.stack === this.stack;
    if (here) this.store.hoverAt(row, column);
    this.wake();
  }

  down(event) {
    if (event.button) return;
    const cell = this.map.cell(event);
    if (cell[0] < 0) return;
    event.preventDefault();
    this.map.canvas.setPointerCapture(event.pointerId);
    this.map.canvas.focus({ preventScroll: true });
    this.from = cell;
    this.wake();
  }

  up(event) {
    if (!this.from) return;
    const { offsetX, offsetY } = event;
    const clamp = (value, most) => Math.max(0, Math.min(most - 0.5, value));
    const cell = this.map.cell({ offsetX: clamp(offsetX, this.map.width), offsetY: clamp(offsetY, this.map.height) });
    this.finish(cell);
  }

  /** The rectangle from where it was begun to `cell`; a single cell that is forbidden is allowed again. */
  finish(cell) {
    const { from } = this;
    this.from = null;
    this.map.at = cell;
    const single = from[0] === cell[0] && from[1] === cell[1];
    if (single && this.blocked.some((one) => masks.holds(one, ...cell))) this.block(masks.remove(this.blocked, ...cell));
    else this.block(masks.add(this.blocked, masks.between(from, cell)));
  }

  cancel() {
    this.from = null;
    this.wake();
  }

  key(event) {
    const { map } = this;
    if (!map.rows) return;
    const arrow = event.key.startsWith("Arrow");
    if (arrow && event.shiftKey && !this.from) this.from = [...map.at];
    else if (arrow && !event.shiftKey) this.from = null;
    else if (event.key === "Enter" || event.key === " ") {
      this.from ??= [...map.at];
      this.finish([...map.at]);
    } else if (event.key === "Delete" || event.key === "Backspace") this.block(masks.remove(this.blocked, ...map.at));
    else if (event.key === "Escape" && this.from) this.cancel();
    else return;
    if (arrow) return; // the map moves
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // Drawing.

  draw() {
    const { map, rows, columns } = this;
    this.host.hidden = !rows || !columns;
    if (!rows || !columns) return;
    const scale = parseFloat(color("--scale")) || 1;
    const cell = Math.min(CELL * scale, (Math.min(LARGEST * scale, this.host.clientWidth || LARGEST)) / Math.max(rows, columns));
    const [width, height] = [cell * columns, cell * rows];
    const pen = map.draw(width, height);
    pen.fillStyle = attentionRamp().css[40];
    if (this.causal) {
      for (let row = 0; row < rows; row++) pen.fillRect(0, row * cell, (row + 1) * cell, cell);
    } else pen.fillRect(0, 0, width, height);
    if (cell >= 6) map.lines(pen);
    for (const one of this.blocked) {
      const inside = masks.within(one, rows, columns);
      if (inside) this.paint(pen, inside, cell);
    }
    pen.strokeStyle = color("--rule-2");
    pen.strokeRect(0.5, 0.5, width - 1, height - 1);
    this.marks(pen, cell);
    this.tell();
  }

  paint(pen, [first, stop, left, right], cell) {
    const box = [left * cell, first * cell, (right - left) * cell, (stop - first) * cell];
    pen.save();
    if (this.causal) this.clip(pen, cell);
    pen.fillStyle = color("--paper");
    pen.fillRect(...box);
    hatch(pen, ...box, color("--ink-2"));
    this.map.frame(pen, box, color("--ink-2"), 1);
    pen.restore();
  }

  /** What is later than its query is not painted. */
  clip(pen, cell) {
    pen.beginPath();
    for (let row = 0; row < this.rows; row++) pen.rect(0, row * cell, (row + 1) * cell, cell);
    pen.clip();
  }

  marks(pen, cell) {
    const { map, from } = this;
    const [row, column] = map.over;
    const focused = document.activeElement === map.canvas;
    if (from) {
      const [first, stop, left, right] = masks.between(from, row >= 0 ? map.over : map.at);
      map.frame(pen, [left * cell, first * cell, (right - left) * cell, (stop - first) * cell], color("--accent"), 2);
    } else if (row >= 0) map.frame(pen, map.box(row, column), color("--accent"), 1.5);
    else if (focused) map.frame(pen, map.box(...map.at), color("--ink"), 1.5);
  }

  tell() {
    const { map, queryLabels, keyLabels } = this;
    const [row, column] = map.over;
    if (this.refused) {
      this.readout.textContent = t("That takes more than {most} rectangles: shorten the text.", { most: MOST });
    } else if (row < 0) {
      this.readout.textContent = this.blocked.length ? t("Hatched: what may not be looked at. Click it to allow it again.") : t("Drag over looks to forbid them.");
    }
    if (this.refused || row < 0) return;
    const may = !this.blocked.some((one) => masks.holds(one, row, column));
    const words = { query: queryLabels[row], key: keyLabels[column] };
    if (this.causal && column > row) this.readout.textContent = t("“{key}” comes after “{query}”: it is never seen from there", words);
    else this.readout.textContent = may ? t("“{query}” may look at “{key}”", words) : t("“{query}” may not look at “{key}”", words);
  }
}
