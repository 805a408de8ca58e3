/** What is inside at one moment: the recurrent weights, and the hidden states of one text or window. */

import { signedRamp } from "../../color.js";
import { sharpen } from "../../raster.js";
import { make, short, t } from "../../words.js";
import { typeScale } from "./plot.js";

const SIDE = 112; // css px of a map
const STATES = "rnn.0.h";
const WEIGHTS = "weight_hh_l0";

export class Internals {
  /** @param {string} recipe its name */
  constructor(host, recipe) {
    this.weights = this.map(WEIGHTS);
    this.states = this.map(STATES, recipe);
    this.norm = make("dd", { class: "num" });
    const norm = make("dl", { class: "training-figures" }, make("div", {}, make("dt", {}, t("gradient norm")), this.norm));
    host.append(make("h3", {}, t("training inside")), make("div", { class: "training-maps" }, this.weights.body, this.states.body, norm));
  }

  map(name, recipe = "") {
    const canvas = make("canvas", { role: "img" });
    const told = make("span", { class: "num quiet" });
    const head = make("div", {}, name === STATES ? make("span", { class: "q q-h" }, "h") : make("span", { class: "q" }, "W", make("sub", {}, "hh")), " ", make("span", { class: "quiet" }, t(name === STATES ? `what h of ${recipe.split("-")[0]}` : "what weight_hh_l0")));
    return { canvas, told, body: make("div", { class: "training-map" }, head, canvas, told) };
  }

  /** @param {import("./run.js").Run} run @param {number} at */
  draw(run, at) {
    const frame = run.frames[at];
    if (!frame) return;
    const weights = frame.arrays[WEIGHTS];
    this.paint(this.weights, weights.values, ...weights.shape, run.limit(WEIGHTS));
    const states = frame.arrays[STATES];
    const [steps, units] = states.shape.slice(-2); // of the first text, where there are more
    const turned = Float32Array.from({ length: steps * units }, (_, k) => states.values[(k % steps) * units + Math.floor(k / steps)]);
    this.paint(this.states, turned, units, steps, 1);
    this.norm.textContent = short(frame.figures.gradient_norm);
    this.weights.canvas.setAttribute("aria-label", t("recurrent weights, {rows} by {columns}", { rows: weights.shape[0], columns: weights.shape[1] }));
    this.states.canvas.setAttribute("aria-label", t("hidden states, {units} units over {steps} steps", { units, steps }));
  }

  paint({ canvas, told }, values, rows, columns, limit) {
    const side = SIDE * typeScale();
    const cell = Math.max(3, Math.min(20, Math.floor(side / Math.max(rows, 4))));
    const wide = Math.max(3, Math.min(20, Math.floor((1.25 * side) / columns)));
    const { context, ratio } = sharpen(canvas, columns * wide, rows * cell);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(canvas.style, { width: `${columns * wide}px`, height: `${rows * cell}px` });
    const ramp = signedRamp().css;
    values.forEach((value, k) => {
      context.fillStyle = ramp[Math.round(127.5 * (Math.max(-1, Math.min(1, value / limit)) + 1))];
      context.fillRect((k % columns) * wide, Math.floor(k / columns) * cell, wide - 0.5, cell - 0.5);
    });
    told.textContent = `± ${short(limit)}`;
  }
}
