/**
 * The map of one head: a row for every token that looks, a column for every one that is looked at.
 * A click chooses a cell, a drag paints a rectangle where a view has taken the brush
 * (`store.brush`), arrows move the chosen cell.
 */

import { color } from "../color.js";
import { hatch, sharpen } from "../raster.js";
import { fit, make, t } from "../words.js";
import { strongest } from "./head-map.js";
import { mapImage } from "./map-image.js";

const GRID = 9; // css px from which cells are set apart

export class Matrix {
  /** @param {import("./store.js").Store} store @param {import("./head-map.js").HeadMap} map */
  constructor(store, map) {
    Object.assign(this, { store, map });
    this.canvas = make("canvas", { class: "matrix-cells", tabindex: "0", role: "application", "aria-label": t("Map of the head: rows are tokens that look, columns tokens that are looked at. Arrow keys move the chosen cell.") });
    this.element = make("div", { class: "matrix" }, this.canvas);
    this.drag = null;
    this.listen();
  }

  get focused() {
    return document.activeElement === this.canvas;
  }

  listen() {
    const { canvas, store } = this;
    const place = (event) => this.rows?.at(event.offsetX, event.offsetY) ?? { query: -1, key: -1 };
    canvas.addEventListener("pointermove", (event) => {
      const { query, key } = place(event);
      store.hoverAt(query, key);
      if (!this.drag || query < 0 || key < 0) return;
      this.drag.to = { query, key };
      this.redraw();
    });
    canvas.addEventListener("pointerleave", () => store.hoverAt());
    canvas.addEventListener("pointerdown", (event) => {
      const from = place(event);
      if (!store.brush || event.button || from.query < 0 || from.key < 0) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.drag = { from, to: from };
    });
    canvas.addEventListener("pointerup", () => {
      if (!this.drag) return;
      const { rectangle } = this;
      this.drag = null;
      this.dragged = true; // no click follows from it
      store.brush?.(rectangle);
      this.redraw();
    });
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("click", (event) => {
      if (this.dragged) return (this.dragged = false);
      const { query, key } = place(event);
      if (query >= 0) store.set({ query, key });
      else if (key >= 0) store.set({ key });
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** What is being painted: first query, after the last, first key, after the last. */
  get rectangle() {
    const { from, to } = this.drag;
    const span = (a, b) => [Math.min(a, b), Math.max(a, b) + 1];
    return [...span(from.query, to.query), ...span(from.key, to.key)];
  }

  key(event) {
    const { store, map } = this;
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
    const row = map.row(store.query);
    const key = store.state.key < 0 && row ? strongest(row) : Math.max(0, store.state.key);
    store.set({ query: clamp(store.query + by[0], map.queries), key: clamp(key + by[1], map.keys) });
  }

  redraw() {
    if (this.rows) this.draw(this.rows, this.ramp, this.limits);
  }

  /** @param {import("./rows.js").Rows} rows @param {import("../color.js").Ramp} ramp */
  draw(rows, ramp, limits) {
    Object.assign(this, { rows, ramp, limits });
    const { canvas, map } = this;
    Object.assign(canvas.style, { width: `${rows.width}px`, height: `${rows.height}px` });
    const { context, ratio } = sharpen(canvas, rows.width, rows.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.imageOf !== map.map || this.imageRamp !== ramp) this.paint(ramp, limits);
    this.cells(context);
    this.columns(context);
    if (!rows.beside) this.lines(context);
    this.marks(context);
  }

  /** The map as an image, a pixel a cell. */
  paint(ramp, [low, high]) {
    const { map } = this.map;
    Object.assign(this, { imageOf: map, imageRamp: ramp });
    const [height, width] = map.shape;
    const bytes = map.data instanceof Uint8Array ? map.data : Uint8Array.from(map.data, (value) => Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (high - low)))));
    this.image = mapImage(bytes, width, height, ramp.table, this.store.causal());
  }

  cells(context) {
    const { rows, map, image } = this;
    const { pooled, shape } = map.map;
    const [T, S] = [map.queries, map.keys];
    context.imageSmoothingEnabled = false;
    const cut = [S / pooled, T / pooled]; // the last of pooled cells may not be whole
    context.drawImage(image, 0, 0, Math.min(shape[1], cut[0]), Math.min(shape[0], cut[1]), rows.x(0), rows.y(0), S * rows.cellWidth, T * rows.cellHeight);
    context.strokeStyle = color("--paper");
    context.lineWidth = 1;
    context.beginPath();
    if (rows.cellWidth >= GRID) for (let k = 1; k < S; k++) this.line(context, rows.x(k), rows.y(0), rows.x(k), rows.y(T));
    if (rows.cellHeight >= GRID) for (let q = 1; q < T; q++) this.line(context, rows.x(0), rows.y(q), rows.x(S), rows.y(q));
    context.stroke();
    for (const [first, stop, left, right] of this.store.blocked()) this.blocked(context, first, Math.min(T, stop), left, Math.min(S, right));
  }

  line(context, x0, y0, x1, y1) {
    context.moveTo(Math.round(x0) - 0.5 * (x0 === x1), Math.round(y0) - 0.5 * (y0 === y1));
    context.lineTo(Math.round(x1) - 0.5 * (x0 === x1), Math.round(y1) - 0.5 * (y0 === y1));
  }

  /** A rectangle that nobody may look at. */
  blocked(context, first, stop, left, right) {
    const { rows } = this;
    const box = [rows.x(left), rows.y(first), (right - left) * rows.cellWidth, (stop - first) * rows.cellHeight];
    context.fillStyle = color("--paper");
    context.fillRect(...box);
    hatch(context, ...box, color("--ink-3"));
  }

  /** Tokens that are looked at, over their columns. */
  columns(context) {
    const { rows, store } = this;
    const { hover, state } = store;
    const every = rows.every(rows.cellWidth);
    context.textBaseline = "middle";
    rows.keys.forEach((label, k) => {
      const strong = k === hover.key || (hover.key < 0 && k === state.key);
      if (k % every && !strong) return;
      if (!strong && every > 1 && (near(k, hover.key, every) || near(k, state.key, every))) return;
      context.font = rows.font(strong);
      context.fillStyle = color(k === hover.key ? "--accent" : strong ? "--q-key" : "--ink-2");
      context.save();
      context.translate(rows.x(k) + rows.cellWidth / 2, rows.top - rows.gap);
      if (rows.slanted) {
        context.rotate(-rows.slant);
        context.textAlign = "left";
        context.fillText(fit(context, label, rows.tops), 0, 0);
      } else {
        context.textAlign = "center";
        context.textBaseline = "alphabetic";
        context.fillText(label, 0, 0);
      }
      context.restore();
    });
  }

  /** Tokens that look, beside their rows, where arcs do not say them. */
  lines(context) {
    const { rows, store } = this;
    const { hover } = store;
    const every = rows.every(rows.cellHeight);
    context.textAlign = "right";
    context.textBaseline = "middle";
    rows.queries.forEach((label, q) => {
      const strong = q === hover.query || q === store.query;
      if (q % every && !strong) return;
      if (!strong && every > 1 && (near(q, hover.query, every) || near(q, store.query, every))) return;
      context.font = rows.font(strong);
      context.fillStyle = color(q === hover.query ? "--accent" : strong ? "--q-query" : "--ink-2");
      context.fillText(fit(context, label, rows.queryWidth), rows.left - rows.gap, rows.y(q) + rows.cellHeight / 2);
    });
  }

  /** The chosen row and column, what is pointed at, what is being painted. */
  marks(context) {
    const { rows, store, map } = this;
    const { hover, state, query } = store;
    const [T, S] = [map.queries, map.keys];
    const end = (q) => (store.causal() ? q + 1 : S);
    const box = (q0, q1, k0, k1, ink, width, dash = []) => {
      context.strokeStyle = color(ink);
      context.lineWidth = width * rows.scale;
      context.setLineDash(dash);
      context.strokeRect(rows.x(k0) - 0.75, rows.y(q0) - 0.75, (k1 - k0) * rows.cellWidth + 0.5, (q1 - q0) * rows.cellHeight + 0.5);
      context.setLineDash([]);
    };
    if (query >= 0) box(query, query + 1, 0, end(query), "--q-query", 1.5);
    if (state.key >= 0 && state.key < S) box(store.causal() ? state.key : 0, T, state.key, state.key + 1, "--q-key", 1.5);
    if (hover.query >= 0) box(hover.query, hover.query + 1, 0, end(hover.query), "--accent", 1, [3, 3]);
    if (hover.key >= 0) box(store.causal() ? hover.key : 0, T, hover.key, hover.key + 1, "--accent", 1, [3, 3]);
    if (!this.drag) return;
    const [first, stop, left, right] = this.rectangle;
    context.globalAlpha = 0.25;
    context.fillStyle = color("--accent");
    context.fillRect(rows.x(left), rows.y(first), (right - left) * rows.cellWidth, (stop - first) * rows.cellHeight);
    context.globalAlpha = 1;
    box(first, stop, left, right, "--accent", 2);
  }
}

/** Would label k lie under that of a chosen one? */
function near(k, chosen, every) {
  return chosen >= 0 && k !== chosen && Math.abs(k - chosen) < every;
}
