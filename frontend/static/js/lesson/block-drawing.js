/**
 * A block as rows, from the stream before it to the stream after it: each row all units of a vector
 * as a strip of colours, its size, and one unit's number; beside them the way of the stream, with
 * the two additions to it.
 */

import { signedRamp } from "../color.js";
import { svg } from "../decoder/svg.js";
import { sharpen } from "../raster.js";
import { sizes } from "../transformer/measures.js";
import { make, short, t } from "../words.js";

/** The vectors in the order they are made: on the stream, or on a branch of it. */
const ROWS = [
  { name: "before", letter: "h", words: "stream before" },
  { name: "read", letter: "x", words: "norm", branch: true },
  { name: "attended", letter: "attention", words: "attention adds", branch: true },
  { name: "middle", letter: "h", words: "stream between" },
  { name: "mlp_read", letter: "x", words: "norm", branch: true },
  { name: "mlp", letter: "g", words: "the MLP adds", branch: true },
  { name: "after", letter: "h", words: "stream after" },
];
const [MAIN, SIDE] = [16, 50]; // where the stream and the branches stand, css px

export class BlockDrawing {
  /** @param {(unit: number) => void} onUnit told which unit was clicked */
  constructor(onUnit) {
    this.rows = ROWS.map((row) => {
      const canvas = make("canvas", { class: "block-units", role: "img" });
      canvas.addEventListener("click", (event) => onUnit(Math.max(0, Math.min(this.units - 1, Math.floor((event.offsetX / canvas.clientWidth) * this.units)))));
      const size = make("span", { class: "num block-size" });
      const value = make("span", { class: `num block-value q-${row.letter}` });
      const node = make("div", { class: `block-row${row.branch ? " branch" : ""}` }, make("span", { class: `block-name q-${row.letter}` }, t(row.words)), size, canvas, value);
      return { ...row, node, canvas, size, value };
    });
    this.way = svg("svg", { class: "block-way", "aria-hidden": "true" });
    this.heads = make("div", { class: "block-row block-titles", "aria-hidden": "true" }, make("span", {}), make("span", { class: "block-size" }, "|x|"), make("span", { class: "block-scale" }), make("span", { class: "block-value" }));
    this.node = make("div", { class: "block-drawing" }, this.way, this.heads, ...this.rows.map(({ node }) => node));
  }

  /** @param {Record<string, Float32Array>} parts  vectors by name @param {number} unit  looked at */
  show(parts, unit) {
    this.units = parts.before.length;
    // One scale for the stream and what is added to it, so that they can be compared; what a norm has
    // made is far smaller, and has another.
    const limit = Math.max(...["before", "attended", "middle", "mlp", "after"].map((name) => largest(parts[name])));
    const normed = Math.max(largest(parts.read), largest(parts.mlp_read));
    const ramp = signedRamp().css;
    for (const { name, words, canvas, size, value } of this.rows) {
      const values = parts[name];
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      if (!width) continue;
      const { context, ratio } = sharpen(canvas, width, height);
      context.scale(ratio, ratio);
      for (let k = 0; k < values.length; k++) {
        const level = Math.max(-1, Math.min(1, values[k] / (words === "norm" ? normed : limit)));
        context.fillStyle = ramp[Math.round(127.5 * (level + 1))];
        const [from, to] = [Math.floor((k * width * ratio) / values.length) / ratio, Math.floor(((k + 1) * width * ratio) / values.length) / ratio];
        context.fillRect(from, 0, to - from, height);
      }
      canvas.setAttribute("aria-label", `${t(words)}: ${t("{n} units, size {size}", { n: values.length, size: short(sizes(values, values.length)[0]) })}`);
      size.textContent = short(sizes(values, values.length)[0]);
      value.textContent = `${values[unit] < 0 ? "−" : ""}${Math.abs(values[unit]).toFixed(2)}`;
    }
    const [, , scale, title] = this.heads.children;
    scale.replaceChildren(make("span", { class: "block-other" }, t("after a norm ±{n}", { n: short(normed) })), make("span", { class: "num" }, `−${short(limit)}`), make("i", {}), make("span", { class: "num" }, short(limit)));
    scale.children[2].style.background = `linear-gradient(to right, ${[0, 64, 128, 191, 255].map((k) => ramp[k]).join(", ")})`;
    title.textContent = t("unit {n}", { n: unit });
    this.place(unit);
  }

  /** The way of the stream down the rows, and where the unit stands in all strips. */
  place(unit) {
    const box = this.node.getBoundingClientRect();
    const scale = parseFloat(getComputedStyle(this.node).getPropertyValue("--scale")) || 1;
    const [main, side] = [MAIN * scale, SIDE * scale];
    const y = this.rows.map(({ canvas }) => {
      const { top, height } = canvas.getBoundingClientRect();
      return top - box.top + height / 2;
    });
    const strip = this.rows[0].canvas.getBoundingClientRect();
    const x = strip.left - box.left + ((unit + 0.5) * strip.width) / this.units;
    const size = [box.width, box.height];
    this.way.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    Object.assign(this.way.style, { width: `${size[0]}px`, height: `${size[1]}px` });
    const line = (d, letter) => svg("path", { d, class: `way of-${letter}` });
    const parts = [line(`M${main},${y[0]} V${y[6]}`, "h")];
    for (const [from, read, adds, to, letter] of [[0, 1, 2, 3, "attention"], [3, 4, 5, 6, "g"]]) {
      const corner = 8 * scale;
      parts.push(line(`M${main},${y[from] + 2} q0,${corner} ${corner},${corner} H${side - corner} q${corner},0 ${corner},${corner} V${y[read]}`, "x"));
      parts.push(line(`M${side},${y[read]} V${y[to] - 3 * corner} q0,${corner} ${-corner},${corner} H${main + corner}`, letter));
      const plus = y[to] - 2 * corner;
      parts.push(svg("circle", { cx: main, cy: plus, r: 8 * scale, class: "plus" }), svg("path", { d: `M${main - 4 * scale},${plus} h${8 * scale} M${main},${plus - 4 * scale} v${8 * scale}`, class: "sign" }));
      for (const [k, hue] of [[read, "x"], [adds, letter]]) parts.push(svg("circle", { cx: side, cy: y[k], r: 5 * scale, class: `stop of-${hue}` }));
    }
    for (const k of [0, 3, 6]) parts.push(svg("circle", { cx: main, cy: y[k], r: 5 * scale, class: "stop of-h" }));
    for (const { canvas } of this.rows) {
      const one = canvas.getBoundingClientRect();
      const top = one.top - box.top;
      parts.push(svg("path", { d: `M${x},${top - 4 * scale} V${top} M${x},${top + one.height} v${4 * scale}`, class: "unit-mark" }));
    }
    this.way.replaceChildren(...parts);
  }
}

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
