/**
 * The same head as arcs: tokens that look on the left, tokens that are looked at on the right, an
 * arc a weight. Those of the chosen token are strong, the others a shade behind them.
 */

import { attentionRamp, color } from "../color.js";
import { sharpen } from "../raster.js";
import { fit, make, t } from "../words.js";

const LEAST = 0.02; // a weight that has an arc
const MOST = 1400; // arcs behind; the strongest come first

export class Arcs {
  /** @param {import("./store.js").Store} store @param {import("./head-map.js").HeadMap} map */
  constructor(store, map) {
    Object.assign(this, { store, map });
    this.canvas = make("canvas", { class: "arcs-drawing", role: "img", "aria-label": t("Arcs from tokens that look to tokens that are looked at") });
    this.element = make("div", { class: "arcs" }, this.canvas);
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => store.hoverAt(...this.at(event)));
    canvas.addEventListener("pointerleave", () => store.hoverAt());
    canvas.addEventListener("click", (event) => {
      const [query, key] = this.at(event);
      if (query >= 0) store.set({ query, key: -1 });
      else if (key >= 0) store.set({ key });
    });
  }

  /** [query, key] under the pointer: the column it is nearer to counts. */
  at(event) {
    const { rows } = this;
    if (!rows) return [-1, -1];
    const right = event.offsetX > rows.queryWidth + rows.gap + rows.fan / 2;
    const [top, pitch] = right ? [rows.keyTop, rows.keyPitch] : [rows.arcsTop, rows.cellHeight];
    const k = Math.floor((event.offsetY - top) / pitch);
    const inside = k >= 0 && k < (right ? rows.keys : rows.queries).length;
    if (!inside) return [-1, -1];
    return right ? [-1, k] : [k, -1];
  }

  /** @param {import("./rows.js").Rows} rows */
  draw(rows) {
    this.rows = rows;
    const { canvas, store } = this;
    Object.assign(canvas.style, { width: `${rows.arcsWidth}px`, height: `${rows.arcsHeight}px` });
    const { context, ratio } = sharpen(canvas, rows.arcsWidth, rows.arcsHeight);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.lineCap = "round";
    this.gather();
    for (const { query, key, weight } of this.all) this.arc(context, query, key, weight, false);
    const { hover } = store;
    if (hover.key >= 0 && hover.query < 0) {
      this.table.forEach((row, q) => this.arc(context, q, hover.key, row?.[hover.key] ?? 0, true));
    } else {
      const query = hover.query >= 0 ? hover.query : store.query;
      const row = this.map.row(query);
      row?.forEach((weight, key) => this.arc(context, query, key, weight, true));
    }
    this.labels(context, "query");
    this.labels(context, "key");
  }

  /** Rows of the map that is there, and its arcs, the strongest last. */
  gather() {
    const { map } = this;
    if (this.of === map.map) return;
    this.of = map.map;
    this.table = Array.from({ length: map.queries }, (_, query) => map.row(query));
    const all = [];
    this.table.forEach((row, query) => row?.forEach((weight, key) => weight >= LEAST && all.push({ query, key, weight })));
    this.all = all.sort((a, b) => b.weight - a.weight).slice(0, MOST).reverse();
  }

  arc(context, query, key, weight, strong) {
    if (weight < (strong ? 0.004 : LEAST)) return;
    const { rows } = this;
    const [from, to] = [rows.arcAt("query", query), rows.arcAt("key", key)];
    const left = rows.queryWidth + rows.gap;
    const right = left + rows.fan;
    const bend = rows.fan * 0.42;
    const { css } = attentionRamp();
    context.globalAlpha = strong ? 0.35 + 0.65 * Math.sqrt(weight) : 0.3 * weight + 0.03;
    context.strokeStyle = strong ? css[Math.round(120 + 80 * Math.sqrt(Math.min(1, weight)))] : color("--q-attention");
    context.lineWidth = (strong ? 0.6 + 5 * weight : 0.5 + 1.5 * weight) * rows.scale;
    context.beginPath();
    context.moveTo(left, from);
    context.bezierCurveTo(left + bend, from, right - bend, to, right, to);
    context.stroke();
    context.globalAlpha = 1;
  }

  /** @param {"query"|"key"} side */
  labels(context, side) {
    const { rows, store } = this;
    const { hover, state } = store;
    const labels = side === "query" ? rows.queries : rows.keys;
    const chosen = side === "query" ? store.query : state.key;
    const over = hover[side];
    const every = rows.every(side === "query" ? rows.cellHeight : rows.keyPitch);
    const x = side === "query" ? rows.queryWidth : rows.queryWidth + rows.fan + 2 * rows.gap;
    context.textAlign = side === "query" ? "right" : "left";
    context.textBaseline = "middle";
    labels.forEach((label, k) => {
      const strong = k === chosen || k === over;
      const crowded = every > 1 && !strong && [chosen, over].some((one) => one >= 0 && Math.abs(k - one) < every);
      if ((k % every && !strong) || crowded) return;
      context.font = rows.font(strong);
      context.fillStyle = color(k === over ? "--accent" : strong ? `--q-${side}` : "--ink-2");
      context.fillText(fit(context, label, side === "query" ? rows.queryWidth : rows.keyWidth), x, rows.arcAt(side, k));
    });
  }
}
