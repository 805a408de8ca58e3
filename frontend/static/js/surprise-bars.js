/** Surprise at each character (-ln p, in nats) as bars on the time axis; one row a network. */

import { color, hue } from "./color.js";
import { sharpen } from "./raster.js";
import { gestures } from "./time-axis.js";
import { make, surprise, t } from "./words.js";

const HEIGHT = 72;
const TOP = 6; // nats at the top of a row; higher bars are cut and notched

export class SurpriseBars {
  /** @param {{store: any, faint?: boolean}[]} runs the second is drawn downward */
  constructor(host, axis, { runs, onGo }) {
    Object.assign(this, { axis, runs });
    this.canvas = make("canvas", { class: "plot", role: "img", "aria-label": t("surprise at each character") });
    this.gutter = make("div", { class: "gutter graph-gutter num", "aria-hidden": "true" });
    host.append(this.gutter, this.canvas);
    gestures(this.canvas, axis, onGo);
  }

  /** Nats up and down from the middle. */
  label(half) {
    if (this.labelled === half) return;
    this.labelled = half;
    const ticks = [[0, half]];
    for (const nats of [3, TOP]) {
      const way = (nats / TOP) * (half - 6);
      ticks.push([nats, half - way]);
      if (this.runs.length > 1) ticks.push([nats, half + way]);
    }
    this.gutter.replaceChildren(
      ...ticks.map(([nats, y]) => {
        const node = make("span", {}, nats === TOP ? `${nats} ${t("nats")}` : String(nats));
        node.style.top = `${y}px`;
        node.style.transform = "translateY(-50%)";
        return node;
      }),
    );
  }

  draw() {
    const { axis, runs } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const half = HEIGHT * scale;
    this.canvas.style.height = `${half * runs.length}px`;
    const { context, ratio } = sharpen(this.canvas, axis.width, half * runs.length);
    context.scale(ratio, ratio);
    const w = axis.columnWidth;
    const gap = w > 5 ? 1.5 : 0;
    const middle = half;
    this.label(half);
    runs.forEach(({ store }, k) => {
      const down = k === 1;
      context.fillStyle = down ? hue("x") : hue("y");
      const [from] = axis.window;
      const to = Math.min(axis.window[1], store.length);
      for (let c = from; c < to; c++) {
        const nats = surprise(store.columns[c].probability);
        if (!(nats >= 0)) continue;
        const size = (Math.min(nats, TOP) / TOP) * (half - 6);
        const x = axis.x(c) + gap / 2;
        context.fillRect(x, down ? middle + 1 : middle - size, w - gap, Math.max(size, 0.75));
        if (nats > TOP && !down) context.clearRect(x, middle - size + 2, w - gap, 2);
        if (nats > TOP && down) context.clearRect(x, middle + size - 3, w - gap, 2);
      }
    });
    context.fillStyle = color("--rule-2");
    context.fillRect(0, middle - 0.5, axis.width, 1);
  }
}
