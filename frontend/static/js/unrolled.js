/**
 * The network unrolled in time: a column a step, x_t above, the layers below it, the output and
 * what it expects at the bottom. Every mark is data: a node is a strip of its hidden state, the
 * bars are the means of its gates, the state's line thickens with the gate that keeps it.
 */

import { color, hue, inkOn, sequential } from "./color.js";
import { GateMeans, layersOf } from "./layers.js";
import { sharpen } from "./raster.js";
import { gestures } from "./time-axis.js";
import { fit, make, mark, nameOf, percent, short, spoken, t } from "./words.js";

const STRIP = 40; // css px of a node's strip of h
const BARS = 15; // of its gates
const BETWEEN = 17; // of the arrows between layers
const ROW = 16; // of a candidate
const CANDIDATES = 5;
const ARRIVAL = 160; // ms a new column takes to appear

export class Unrolled {
  /** @param {{store: any, onGo: Function, onFork: (t: number, token: string) => void}} options */
  constructor(host, axis, { store, onGo, onFork }) {
    Object.assign(this, { axis, store });
    this.layers = layersOf(store);
    this.means = new GateMeans(store);
    this.born = []; // arrival times of the newest columns
    this.known = 0;
    this.canvas = make("canvas", { class: "plot", role: "img" });
    this.words = make("p", { class: "out-of-sight", id: "graph-words" });
    this.gutter = make("div", { class: "gutter graph-gutter", "aria-hidden": "true" });
    this.canvas.setAttribute("aria-describedby", "graph-words");
    this.canvas.setAttribute("aria-label", t("the network unrolled in time"));
    host.append(this.gutter, this.canvas, this.words);
    gestures(this.canvas, axis, (at, event) => {
      const rank = this.rankAt(event.offsetY);
      const candidate = rank >= 0 && this.axis.columnWidth >= 11 ? this.store.predicted(at)[rank] : null;
      if (candidate) onFork(at + 1, candidate.token);
      else onGo(at);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      this.canvas.style.cursor = this.rankAt(event.offsetY) >= 0 ? "pointer" : "default";
    });
  }

  get scale() {
    return parseFloat(color("--scale")) || 1;
  }

  get layerHeight() {
    return STRIP + (this.layers.some((layer) => layer.gates.length) ? BARS : 0) + BETWEEN;
  }

  get outputTop() {
    return BETWEEN + this.layers.length * this.layerHeight;
  }

  get height() {
    return (this.outputTop + 24 + CANDIDATES * ROW + 4) * this.scale;
  }

  rankAt(y) {
    const rank = Math.floor((y / this.scale - this.outputTop - 24) / ROW);
    return rank >= 0 && rank < CANDIDATES ? rank : -1;
  }

  /** Names of the rows, left of the columns. */
  label() {
    const { scale } = this;
    const row = (top, ...content) => {
      const node = make("span", {}, ...content);
      node.style.top = `${top * scale}px`;
      return node;
    };
    const letter = (name) => make("i", { class: `q q-${name}` }, name);
    this.gutter.replaceChildren(
      ...this.layers.map((layer, k) =>
        row(BETWEEN + k * this.layerHeight + STRIP / 2 - 9, letter("h"), ` ${layer.number}`),
      ),
      ...this.layers.flatMap((layer, k) =>
        layer.gates.length
          ? [row(BETWEEN + k * this.layerHeight + STRIP + 1, ...layer.gates.map((gate) => letter(gate.letter)))]
          : [],
      ),
      row(this.outputTop - 1, letter("y")),
      row(this.outputTop + 24 + 0.5, t("next")),
    );
    this.canvas.style.height = `${this.height}px`;
  }

  /** Draws; true while a new column is still arriving. */
  draw(now = performance.now()) {
    const { axis, store, scale } = this;
    const young = this.arrivals(now);
    const { context, ratio } = sharpen(this.canvas, axis.width, this.height);
    const from = axis.window[0];
    const to = Math.min(axis.window[1], store.length);
    if (from >= to) return false;
    const w = axis.columnWidth;
    const gap = w >= 8 ? Math.max(4, w * 0.34) : w >= 4 ? 1 : 0;
    this.layers.forEach((layer, k) => {
      const top = (BETWEEN + k * this.layerHeight) * scale;
      layer.raster.shape(16, null);
      context.setTransform(1, 0, 0, 1, 0, 0);
      const settled = Math.max(from, Math.min(to, young));
      const paint = (a, b) =>
        layer.raster.paint(
          context, a, b, store.length, (c) => axis.x(c) * ratio, w * ratio,
          Math.round(top * ratio), Math.round(STRIP * scale * ratio),
        );
      if (settled > from) paint(from, settled);
      for (let c = settled; c < to; c++) {
        context.globalAlpha = this.age(c, now);
        paint(c, c + 1);
      }
      context.globalAlpha = 1;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (gap) {
        context.fillStyle = color("--paper");
        for (let c = from; c <= to; c++) context.fillRect(axis.x(c) - gap / 2, top - 1, gap, STRIP * scale + 2);
      }
      if (layer.gates.length && w >= 5) this.bars(context, layer, from, to, top + (STRIP + 2) * scale, w, gap, now);
      if (gap >= 4) this.arrows(context, layer, k, from, to, top, w, gap);
    });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (w >= 8) this.outputs(context, from, to, w, now);
    this.frame(context);
    return young < store.length;
  }

  /** First column that is still arriving. */
  arrivals(now) {
    const { store, axis } = this;
    if (store.length < this.known || axis.calm) this.born.length = 0;
    for (let c = Math.max(this.known, store.length - 64); c < store.length && !axis.calm; c++) this.born[c] = now;
    this.known = store.length;
    let c = store.length;
    while (c > 0 && this.born[c - 1] !== undefined && now - this.born[c - 1] < ARRIVAL) c--;
    return c;
  }

  age(c, now) {
    return this.born[c] === undefined ? 1 : Math.min(1, 0.15 + (now - this.born[c]) / ARRIVAL);
  }

  bars(context, layer, from, to, top, w, gap, now) {
    const { axis, scale } = this;
    const height = (BARS - 4) * scale;
    const each = (w - Math.max(gap, 1)) / layer.gates.length;
    layer.gates.forEach((gate, g) => {
      const means = this.means.of(gate);
      context.fillStyle = hue(gate.letter);
      for (let c = from; c < to; c++) {
        const size = means[c] * height;
        context.globalAlpha = this.age(c, now);
        context.fillRect(axis.x(c) + gap / 2 + g * each, top + height - size, Math.max(1, each - 0.75), size);
      }
    });
    context.globalAlpha = 1;
    context.fillStyle = color("--rule-2");
    for (let c = from; c < to; c++) context.fillRect(axis.x(c) + gap / 2, top + height, w - gap, 0.75);
  }

  arrows(context, layer, k, from, to, top, w, gap) {
    const { axis, scale } = this;
    const keep = layer.keeper ? this.means.of(layer.keeper) : null;
    const middle = top + (STRIP / 2) * scale;
    context.lineCap = "butt";
    context.strokeStyle = hue(layer.cell ? "c" : "h");
    for (let c = from; c < to; c++) {
      if (c + 1 >= this.store.length) continue;
      context.lineWidth = (keep ? 0.6 + 3.4 * keep[c + 1] ** 2 : 1.2) * scale;
      context.beginPath();
      context.moveTo(axis.x(c + 1) - gap / 2, middle);
      context.lineTo(axis.x(c + 1) + gap / 2, middle);
      context.stroke();
    }
    if (layer.cell) {
      context.strokeStyle = hue("h");
      context.lineWidth = 1 * scale;
      context.beginPath();
      for (let c = from; c < Math.min(to, this.store.length - 1); c++) {
        context.moveTo(axis.x(c + 1) - gap / 2, middle + 8 * scale);
        context.lineTo(axis.x(c + 1) + gap / 2, middle + 8 * scale);
      }
      context.stroke();
    }
    context.strokeStyle = context.fillStyle = hue(k ? "h" : "x");
    context.lineWidth = 1 * scale;
    const tip = 3 * scale;
    context.beginPath();
    for (let c = from; c < to; c++) {
      const x = axis.x(c) + w / 2;
      context.moveTo(x, top - (BETWEEN - 4) * scale);
      context.lineTo(x, top - 4 * scale);
      if (w < 10) continue;
      context.moveTo(x - tip, top - 3 * scale - tip);
      context.lineTo(x, top - 3 * scale);
      context.lineTo(x + tip, top - 3 * scale - tip);
    }
    context.stroke();
  }

  outputs(context, from, to, w, now) {
    const { axis, store, scale } = this;
    const top = this.outputTop * scale;
    const radius = Math.min(6 * scale, w * 0.32);
    const ramp = sequential(hue("y"));
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `${Math.min(12.5, w * 0.8) * scale}px "JetBrains Mono", monospace`;
    const shade = (p) => ramp.css[Math.round(255 * Math.sqrt(Math.max(0, Math.min(1, p))) * 0.64)];
    for (let c = from; c < to; c++) {
      const x = axis.x(c) + w / 2;
      const chosen = store.columns[c + 1];
      context.globalAlpha = this.age(c, now);
      context.beginPath();
      context.arc(x, top + 8 * scale, radius, 0, 7);
      context.fillStyle = chosen?.probability != null ? shade(chosen.probability) : color("--paper");
      context.fill();
      context.strokeStyle = hue("y");
      context.lineWidth = 1.25 * scale;
      context.stroke();
      if (w < 11) continue;
      const candidates = store.predicted(c);
      for (let rank = 0; rank < Math.min(CANDIDATES, candidates.length); rank++) {
        const { token, probability } = candidates[rank];
        const y = top + (24 + rank * ROW) * scale;
        const fill = shade(probability);
        context.fillStyle = fill;
        context.fillRect(x - w / 2 + 1, y, w - 2, (ROW - 2) * scale);
        context.fillStyle = inkOn(fill);
        const shown = mark(token);
        context.fillText(shown.length > 1 ? fit(context, shown, w - 4) : shown, x, y + (ROW / 2 - 0.5) * scale);
        if (chosen && chosen.token === token) {
          context.strokeStyle = color("--ink");
          context.lineWidth = 1.5 * scale;
          context.strokeRect(x - w / 2 + 1, y, w - 2, (ROW - 2) * scale);
        }
      }
    }
    context.globalAlpha = 1;
  }

  /** The current step stands in a frame. */
  frame(context) {
    const { axis, scale } = this;
    if (axis.at < 0 || axis.columnWidth < 8) return;
    context.strokeStyle = color("--ink");
    context.lineWidth = 1.5 * scale;
    this.layers.forEach((layer, k) => {
      const gap = Math.max(4, axis.columnWidth * 0.34) - 3;
      const top = (BETWEEN + k * this.layerHeight) * scale;
      context.strokeRect(axis.x(axis.at) + gap / 2, top - 1.5, axis.columnWidth - gap, STRIP * scale + 3);
    });
  }

  /** The current column in words. */
  describe() {
    const { axis, store } = this;
    const column = store.columns[axis.at];
    if (!column) return;
    const parts = [t("step {n}", { n: axis.at }), `${t("reads")} ${spoken(column.token)}`];
    for (const layer of this.layers) {
      for (const gate of layer.gates) {
        parts.push(`${t("layer {n}", { n: layer.number })}, ${nameOf(gate.letter)} ${short(this.means.of(gate)[axis.at])}`);
      }
    }
    const [first] = store.predicted(axis.at);
    if (first) parts.push(`${t("expects")} ${spoken(first.token)} ${percent(first.probability)}`);
    this.words.textContent = parts.join("; ");
  }
}
