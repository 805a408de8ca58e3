/** Bits that add up along the text: how far each network falls behind another, and where. */

import { LineChart } from "../lesson/line-chart.js";
import { mark, t } from "../words.js";
import { letterOf } from "./networks.js";

export class Course {
  /** @param {HTMLElement} host @param {(at: number) => void} onGo */
  constructor(host, onGo) {
    this.host = host;
    this.chart = new LineChart(host, t("current character"), (k) => onGo(this.xs[k]));
    new ResizeObserver(() => this.again?.()).observe(host);
  }

  /** @param {{network, place, reading}[]} runs @param {object} against the one of them that is the level line */
  draw(runs, tokens, at, against) {
    this.again = () => this.draw(runs, tokens, at, against);
    if (!this.host.clientWidth || tokens.length < 3 || !runs.length) return;
    this.xs = tokens.map((_, k) => k).slice(1);
    this.lines = runs.map(({ network, place, reading }) => {
      let sum = 0;
      return { network, place, ys: this.xs.map((k) => (sum += reading.bits[k] - against.reading.bits[k])) };
    });
    const k = Math.max(0, at - 1);
    this.chart.draw({
      xs: this.xs,
      lines: this.lines.map(({ network, place, ys }) => ({ name: `${letterOf(place)} ${network.name}`, kind: `net-${place % 8}`, ys })),
      levels: [],
      log: false,
      tick: (x) => (tokens.length <= 60 ? mark(tokens[x]) : String(x)),
      across: tokens.length <= 60 ? t("character") : t("place in the text"),
      at: k,
      spoken: `${mark(tokens[at])}: ${this.lines.map(({ network, ys }) => `${network.name} ${ys[k].toFixed(1)}`).join(", ")}`,
    });
  }
}
