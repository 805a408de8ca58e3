/**
 * What a network with CTC says in every column: a bar as high as its likeliest symbol is probable,
 * in the colour of an output where that is a symbol, pale where it is the blank; above, the symbols
 * that were read, each over the columns that were merged into it. The arrows go from column to column.
 */

import { color } from "../color.js";
import { sharpen } from "../raster.js";
import { gestures } from "../time-axis.js";
import { make, mark, percent, t } from "../words.js";

const TOP = 26; // css px for the symbols
const BARS = 44; // for the bars
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class SymbolStrip {
  /** @param {{onGo: (at: number) => void}} options */
  constructor(axis, { onGo }) {
    Object.assign(this, { axis });
    this.canvas = make("canvas", { class: "plot symbols", role: "slider", tabindex: "0", "aria-label": t("what it says in every column"), "aria-valuemin": "0" });
    this.element = make("div", { class: "strip symbol-strip" }, this.canvas);
    gestures(this.canvas, axis, onGo);
    this.canvas.addEventListener("keydown", (event) => {
      const to = event.key === "Home" ? 0 : event.key === "End" ? axis.length - 1 : axis.at + (STEPS[event.key] ?? NaN);
      if (Number.isNaN(to)) return;
      event.preventDefault();
      onGo(Math.max(0, Math.min(axis.length - 1, to)));
    });
  }

  /** @param {{tokens: string[], token_ids: number[], probability: Float32Array, blank: number, characters: object[]}} found */
  draw({ tokens, token_ids, probability, blank, characters }) {
    const { axis, canvas } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const [top, tall] = [TOP * scale, BARS * scale];
    canvas.style.height = `${top + tall}px`;
    const { context, ratio } = sharpen(canvas, axis.width, top + tall);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [from, to] = axis.window;
    const gap = axis.columnWidth > 4 ? 1 : 0;
    for (let k = from; k < to; k++) {
      const share = probability[k];
      context.fillStyle = color(token_ids[k] === blank ? "--rule" : "--q-y");
      context.fillRect(axis.x(k), top + tall * (1 - share), axis.columnWidth - gap, tall * share);
    }
    context.textAlign = "center";
    for (const { symbol, start, stop } of characters) {
      const [left, right] = [axis.x(start), axis.x(stop)];
      if (right < 0 || left > axis.width) continue;
      const here = axis.at >= start && axis.at < stop;
      context.fillStyle = color("--ink");
      context.font = `${here ? 700 : 500} ${15 * scale}px ${color("--mono").replaceAll('"', "")}`;
      context.fillText(mark(symbol), (left + right - gap) / 2, 16 * scale);
      context.fillRect(left, top - 4 * scale, right - left - gap, 2 * scale);
    }
    canvas.setAttribute("aria-valuemax", String(axis.length - 1));
    canvas.setAttribute("aria-valuenow", String(axis.at));
    const name = token_ids[axis.at] === blank ? t("blank") : mark(tokens[axis.at] ?? "");
    canvas.setAttribute("aria-valuetext", `${t("column {n}", { n: axis.at })}: ${name} ${percent(probability[axis.at])}`);
  }
}
