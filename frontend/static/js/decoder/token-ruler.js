/** Tokens over the columns of a time axis, slanted where they are longer than a column is wide. */

import { color } from "../color.js";
import { sharpen } from "../raster.js";
import { gestures } from "../time-axis.js";
import { fit, make } from "../words.js";

const SLANT = Math.PI / 3;
const LONGEST = 84; // css px

export class TokenRuler {
  /** @param {{tokens: () => {label: string}[], onGo: (k: number) => void}} options */
  constructor(host, axis, { tokens, onGo }) {
    Object.assign(this, { axis, tokens });
    this.canvas = make("canvas", { class: "plot", "aria-hidden": "true" });
    host.append(this.canvas);
    gestures(this.canvas, axis, onGo);
  }

  draw() {
    const { axis, canvas } = this;
    const tokens = this.tokens();
    const scale = parseFloat(color("--scale")) || 1;
    const font = `${12.5 * scale}px ${color("--sans")}`;
    const pen = canvas.getContext("2d");
    pen.font = font;
    const widest = Math.min(LONGEST * scale, Math.max(0, ...tokens.map(({ label }) => pen.measureText(label).width)));
    const slanted = widest > axis.columnWidth - 3;
    const height = Math.ceil(slanted ? Math.sin(SLANT) * widest + 14 * scale : 20 * scale);
    canvas.style.height = `${height}px`;
    const { context, ratio } = sharpen(canvas, axis.width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textBaseline = "middle";
    const [from, to] = axis.window;
    for (let k = from; k < Math.min(to, tokens.length); k++) {
      const strong = k === axis.at || k === axis.hover;
      context.font = strong ? `600 ${font}` : font;
      context.fillStyle = color(strong ? "--ink" : "--ink-2");
      context.save();
      context.translate(axis.x(k) + axis.columnWidth / 2, height - 8 * scale);
      if (slanted) context.rotate(-SLANT);
      context.textAlign = slanted ? "left" : "center";
      context.fillText(fit(context, tokens[k].label, widest), 0, 0);
      context.restore();
    }
  }
}
