/**
 * The map of one head while a text is written: every token adds its row, and its own name at the
 * end of it.
 */

import { attentionRamp, color } from "../color.js";
import { full, make, percent, t } from "../words.js";
import { CellMap, NAMES } from "./cell-map.js";

const CELL = [4, 20]; // css px, smallest and largest
const ARRIVAL = 160; // ms a row takes to appear
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class WritingMap {
  /**
   * @param {HTMLElement} host
   * @param {{onPoint: (t: number) => void, onChoose: (t: number) => void}} options
   */
  constructor(host, { onPoint, onChoose }) {
    this.host = host;
    this.born = [];
    this.scroller = make("div", { class: "writing-scroll" });
    this.bar = make("span", { class: "bar" });
    this.title = make("span", { class: "writing-title" });
    this.readout = make("output", { class: "readout num" });
    host.append(make("header", { class: "pane-head" }, this.title, make("span", { class: "scale" }, make("span", { class: "num" }, "0"), this.bar, make("span", { class: "num" }, "1"))), this.scroller, this.readout);
    this.map = new CellMap(this.scroller, {
      label: t("Where the head looks: a row a token written. Arrows move."),
      onPoint: (row, column) => {
        this.at = [row, column];
        onPoint(row);
      },
      onChoose: (row) => onChoose(row),
      blank: true,
    });
    this.at = [-1, -1];
  }

  /** @param {{labels: string[], row: (t: number) => Float32Array|null, over: number, title: string, now: number, busy: boolean}} what */
  draw({ labels, row, over, title, now, busy }) {
    const n = labels.length;
    const { map } = this;
    this.title.textContent = title;
    if (this.born.length > n) this.born.length = n;
    while (this.born.length < n) this.born.push(now);
    const ramp = attentionRamp();
    this.legend(ramp);
    const values = new Float32Array(n * n).fill(NaN);
    for (let t = 0; t < n; t++) {
      const weights = row(t);
      if (weights) for (let k = 0; k <= t; k++) values[t * n + k] = Math.sqrt(weights[k]);
    }
    map.set(values, n, n, ramp, [0, 1]);
    const scale = parseFloat(color("--scale")) || 1;
    const room = this.host.clientWidth;
    const cell = Math.max(CELL[0], Math.min(CELL[1] * scale, (room - NAMES * scale) / n));
    const side = cell * n;
    const pen = map.draw(side, side, side + (CellMap.named(cell) ? NAMES * scale : 0));
    let young = false;
    for (let t = 0; t < n; t++) {
      const age = calm.matches ? 1 : Math.min(1, (now - this.born[t] + 16) / ARRIVAL);
      if (age >= 1) continue;
      young = true;
      pen.globalAlpha = 1 - age;
      pen.fillStyle = color("--paper");
      pen.fillRect(0, t * cell, side + NAMES * scale, cell);
      pen.globalAlpha = 1;
    }
    map.names(pen, labels, (t) => (t + 1) * cell, over, scale);
    if (over >= 0 && over < n) map.frame(pen, [0, over * cell, (over + 1) * cell, cell], color("--ink"), 1.25);
    if (busy) this.follow(side);
    this.tell(labels, values, n);
    return young;
  }

  follow(side) {
    const { scroller } = this;
    if (scroller.scrollHeight > scroller.clientHeight) scroller.scrollTop = side;
  }

  legend(ramp) {
    if (this.ramp === ramp) return;
    this.ramp = ramp;
    // Colours rise with the square root, or small weights would not be seen.
    this.bar.style.backgroundImage = `linear-gradient(90deg, ${Array.from({ length: 17 }, (_, k) => ramp.css[Math.round(255 * Math.sqrt(k / 16))]).join(", ")})`;
  }

  tell(labels, values, n) {
    const [row, column] = this.at;
    const value = row >= 0 && row < n && column >= 0 && column <= row ? values[row * n + column] ** 2 : undefined;
    this.readout.textContent = value === undefined ? "" : t("“{query}” looks at “{key}”: {value}", { query: labels[row], key: labels[column], value: percent(value) });
    this.readout.title = value === undefined ? "" : full(value);
  }
}
