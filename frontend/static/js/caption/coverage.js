/** How much of the picture has been looked at in all: a map of sums, and over how many cells they are spread. */

import { attentionRamp, inkOn } from "../color.js";
import { make, percent, short, t } from "../words.js";
import { spreadOf } from "./cells.js";

export class Coverage {
  /** @param {HTMLElement} host @param {{run, view: import("./view.js").View, link, region}} options */
  constructor(host, { run, view, link, region }) {
    Object.assign(this, { host, run, view, link, region });
    this.map = make("div", { class: "coverage-map", "aria-hidden": "true" });
    this.number = make("b", { class: "num" });
    this.line = make("p", { class: "coverage-number" }, this.number, " ", make("span", {}, t("of the picture looked at")));
    this.meter = make("i");
    this.words = make("p", { class: "note" });
    host.append(this.map, make("div", {}, this.line, make("span", { class: "meter", "aria-hidden": "true" }, this.meter), this.words));
    this.map.addEventListener("pointerover", (event) => {
      const { cell } = event.target.dataset;
      if (cell !== undefined) link.point(-1, Number(cell));
    });
    this.map.addEventListener("pointerleave", () => link.point());
    this.map.addEventListener("click", (event) => {
      const { cell } = event.target.dataset;
      if (cell !== undefined) region.set(Number(cell));
    });
  }

  draw() {
    const { run, view, host } = this;
    const sums = view.coverage;
    host.hidden = !sums;
    if (!sums) return;
    const ramp = attentionRamp();
    if (this.sums === sums && this.ramp === ramp) return;
    Object.assign(this, { sums, ramp });
    const { rows, columns } = run.grid;
    const most = Math.max(...sums);
    this.map.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    this.map.style.aspectRatio = `${run.picture.width} / ${run.picture.height}`;
    this.map.replaceChildren(
      ...Array.from(sums, (sum, cell) => {
        const fill = ramp.css[Math.round((255 * sum) / most)];
        const node = make("span", { "data-cell": String(cell), title: `${run.source[cell].label}: ${sum}` }, sum < 0.005 ? "·" : sum.toFixed(sum < 10 ? 2 : 1));
        Object.assign(node.style, { background: fill, color: inkOn(fill) });
        return node;
      }),
    );
    const spread = spreadOf(sums);
    const share = spread / sums.length;
    this.number.textContent = percent(share);
    this.meter.style.transform = `scaleX(${share})`;
    const words = run.target.filter(({ attention }) => attention).length;
    this.words.textContent = t("coverage in words", {
      least: Math.min(...sums).toFixed(2),
      most: most.toFixed(2),
      words,
      even: short(words / sums.length),
      spread: spread.toFixed(1),
      cells: rows * columns,
      lowest: percent(1 / sums.length),
    });
  }
}
