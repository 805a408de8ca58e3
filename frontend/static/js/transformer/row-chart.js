/**
 * A row before and after the softmax: above, the scores e of all tokens that may be looked at, from
 * a line at zero; below, the weights they become. A token with room carries its numbers.
 */

import { attentionRamp, color, signedRamp } from "../color.js";
import { hatch, sharpen } from "../raster.js";
import { fit, make, percent, short, t } from "../words.js";

const HALF = 74; // css px of each of the two
const NUMBERS = 40; // css px that a token needs to carry its numbers
const READABLE = 12;
const SLANT = Math.PI / 3;
const LONGEST = 74; // of a label

export class RowChart {
  /** @param {{onPoint: (key: number) => void, onChoose: (key: number) => void}} options */
  constructor({ onPoint, onChoose }) {
    this.canvas = make("canvas", { class: "row-chart", role: "img", "aria-label": t("scores of the row, and the weights they become") });
    this.canvas.addEventListener("pointermove", (event) => onPoint(this.at(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => onPoint(-1));
    this.canvas.addEventListener("click", (event) => onChoose(this.at(event.offsetX)));
  }

  at(x) {
    return Math.max(0, Math.min(this.count - 1, Math.floor(x / this.pitch)));
  }

  /**
   * @param {import("./look.js").Look} look @param {string[]} labels
   * @param {{key: number, over: number, width: number, scale: number}} how
   */
  draw(look, labels, { key, over, width, scale }) {
    this.count = look.keys;
    const pitch = (this.pitch = Math.min(84 * scale, width / look.keys));
    const half = HALF * scale;
    const size = 12.5 * scale;
    const pen = this.canvas.getContext("2d");
    pen.font = `620 ${size}px ${color("--sans")}`;
    const widest = Math.min(LONGEST * scale, Math.max(...labels.map((label) => pen.measureText(label).width)));
    const slanted = widest > pitch - 4;
    const foot = slanted ? Math.sin(SLANT) * widest + 16 * scale : 22 * scale;
    const height = Math.ceil(2 * half + 10 * scale + foot);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const { context, ratio } = sharpen(this.canvas, width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.look = look;
    this.scores(context, 0, half, pitch, scale, key);
    this.weights(context, half + 10 * scale, half, pitch, scale, key);
    this.labels(context, labels, 2 * half + 10 * scale, { pitch, size, slanted, widest, key, over, scale });
    context.lineWidth = 1.25 * scale;
    for (const [k, ink, dash] of [[key, "--q-key", []], [over === key ? -1 : over, "--accent", [3, 3]]]) {
      if (k < 0) continue;
      context.strokeStyle = color(ink);
      context.setLineDash(dash);
      context.strokeRect(k * pitch + 0.75, 0.75, pitch - 1.5, 2 * half + 10 * scale - 0.5);
      context.setLineDash([]);
    }
  }

  scores(context, top, height, pitch, scale, key) {
    const { scores, keys } = this.look;
    const finite = Array.from(scores).filter(Number.isFinite);
    const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
    const edge = 15 * scale;
    const y = (value) => top + edge + ((high - value) / (high - low || 1)) * (height - 2 * edge);
    const { css } = signedRamp();
    context.fillStyle = color("--rule-2");
    context.fillRect(0, Math.round(y(0)), pitch * keys, 1);
    for (let k = 0; k < keys; k++) {
      const value = scores[k];
      const [x, w] = [k * pitch + Math.min(2, pitch * 0.12), pitch - Math.min(4, pitch * 0.24)];
      if (value === -Infinity) {
        hatch(context, x, top + edge * 0.5, w, height - edge, color("--ink-3"));
        continue;
      }
      context.fillStyle = css[value < 0 ? 40 : 215];
      context.fillRect(x, Math.min(y(0), y(value)), w, Math.max(1, Math.abs(y(value) - y(0))));
      if (pitch >= NUMBERS * scale || k === key) this.number(context, short(value), x + w / 2, y(value) + (value < 0 ? 8 : -7) * scale, scale, k === key);
    }
  }

  weights(context, top, height, pitch, scale, key) {
    const { weights, keys } = this.look;
    const most = Math.max(...weights) || 1;
    const { css } = attentionRamp();
    const floor = top + height;
    context.fillStyle = color("--rule-2");
    context.fillRect(0, floor - 1, pitch * keys, 1);
    for (let k = 0; k < keys; k++) {
      const tall = (weights[k] / most) * (height - 16 * scale);
      const [x, w] = [k * pitch + Math.min(2, pitch * 0.12), pitch - Math.min(4, pitch * 0.24)];
      context.fillStyle = css[Math.round(90 + 130 * Math.sqrt(weights[k]))];
      context.fillRect(x, floor - tall, w, tall);
      if (!weights[k]) continue;
      if (pitch >= NUMBERS * scale || k === key) this.number(context, percent(weights[k]), x + w / 2, floor - tall - 7 * scale, scale, k === key);
    }
  }

  number(context, text, x, y, scale, strong) {
    context.font = `${strong ? 640 : 440} ${10.5 * scale}px ${color("--mono")}`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    const half = context.measureText(text).width / 2;
    context.fillStyle = color(strong ? "--ink" : "--ink-2");
    context.strokeStyle = color("--paper");
    context.lineWidth = 3;
    const at = Math.max(half + 1, x);
    context.strokeText(text, at, y);
    context.fillText(text, at, y);
  }

  labels(context, labels, top, { pitch, size, slanted, widest, key, over, scale }) {
    const every = Math.max(1, Math.ceil((READABLE * scale) / pitch));
    context.textBaseline = "middle";
    labels.forEach((label, k) => {
      const strong = k === key || k === over;
      const crowded = every > 1 && !strong && [key, over].some((one) => one >= 0 && Math.abs(k - one) < every);
      if ((k % every && !strong) || crowded) return;
      context.font = `${strong ? "620 " : ""}${size}px ${color("--sans")}`;
      context.fillStyle = color(k === over ? "--accent" : k === key ? "--q-key" : "--ink-2");
      context.save();
      context.translate((k + 0.5) * pitch, top + (slanted ? 8 : 12) * scale);
      if (slanted) context.rotate(-SLANT);
      context.textAlign = slanted ? "right" : "center";
      context.fillText(fit(context, label, widest), 0, 0);
      context.restore();
    });
  }
}
