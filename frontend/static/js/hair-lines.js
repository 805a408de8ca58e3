/**
 * One line through every figure at the current step, and a dashed one at the pointer: an element
 * of its own in each figure, moved by transform, so that nothing else is styled or laid out again.
 */

import { make } from "./words.js";

const FIGURES = ".strip, .map-body, .chart, .between";

export class HairLines {
  constructor(stage, axis) {
    Object.assign(this, { stage, axis });
    stage.append(make("div", { class: "between", "aria-hidden": "true" }));
    this.pairs = new Map();
    this.collect();
  }

  /** Figures have come or gone. */
  collect() {
    const hosts = new Set(this.stage.querySelectorAll(FIGURES));
    for (const host of this.pairs.keys()) if (!hosts.has(host)) this.pairs.delete(host);
    for (const host of hosts) {
      if (this.pairs.has(host)) continue;
      const lines = ["over", "at"].map((kind) => host.querySelector(`:scope > .hair.${kind}`) ?? make("i", { class: `hair ${kind}`, "aria-hidden": "true" }));
      host.append(...lines);
      this.pairs.set(host, lines);
    }
    this.places = [];
    this.draw();
  }

  draw() {
    [this.axis.hover, this.axis.at].forEach((t, k) => {
      const place = this.place(t);
      if (this.places[k] === place) return;
      this.places[k] = place;
      for (const lines of this.pairs.values()) lines[k].style.transform = place;
    });
  }

  place(t) {
    const { axis } = this;
    const x = axis.x(t) + axis.columnWidth / 2;
    const shown = t >= 0 && t < axis.length && x >= 0 && x <= axis.width;
    return `translateX(${shown ? x.toFixed(1) : -9999}px)`;
  }
}
