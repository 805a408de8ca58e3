/**
 * Vectors one above the other, unit over unit: what is added to what, and what comes of it. The
 * unit under the pointer is marked in all of them.
 */

import { signedRamp } from "../../color.js";
import { make } from "../../words.js";
import { limitOf } from "./numbers.js";
import { Matrix } from "./matrix.js";
import { rangeBar } from "./pieces.js";

export class Vectors {
  /**
   * @param {HTMLElement} host
   * @param {{sign?: string, label: Node[], words: string}[]} rows  sign: "+", "=" before it; words: the same, for a listener
   * @param {(unit: number) => void} [onPoint]
   */
  constructor(host, rows, onPoint = () => {}) {
    this.onPoint = onPoint;
    this.matrices = rows.map(({ words }) => new Matrix({ label: words, describe: (row, unit) => `${words}, #${unit}`, onPoint: (row, unit) => this.point(unit) }));
    this.lines = rows.map(({ sign = "", label }, k) => make("div", { class: "vector" }, make("span", { class: "vector-sign" }, sign), make("span", { class: "vector-label" }, ...label), this.matrices[k].element));
    this.foot = make("p", { class: "mx-foot" });
    this.element = make("div", { class: "vectors" }, ...this.lines, this.foot);
    host.append(this.element);
  }

  point(unit) {
    for (const matrix of this.matrices) matrix.mark(unit < 0 ? this.fixed : [...this.fixed, { column: unit, ink: "--ink" }]);
    this.onPoint(unit);
  }

  /**
   * @param {(ArrayLike<number>|null)[]} rows  null: this one is not there
   * @param {{fixed?: object[], apart?: boolean}} [options]  marks that stay; apart: each has a range of its own
   */
  show(rows, { fixed = [], apart = false } = {}) {
    this.fixed = fixed;
    const there = rows.filter(Boolean);
    const common = limitOf(...there);
    rows.forEach((values, k) => {
      this.lines[k].hidden = !values;
      if (!values) return;
      const { limit } = apart ? limitOf(values) : common;
      const height = 1.5 * parseFloat(getComputedStyle(document.documentElement).fontSize);
      this.matrices[k].show({ values, rows: 1, columns: values.length, limit, height });
      this.matrices[k].mark(fixed);
    });
    const bar = ({ limit, largest }, of) => rangeBar(signedRamp(), -limit, limit, largest, of);
    const name = (k) => make("span", {}, ...Array.from(this.lines[k].children[1].childNodes, (node) => node.cloneNode(true)));
    this.foot.replaceChildren(...(apart ? rows.flatMap((values, k) => (values ? [bar(limitOf(values), name(k))] : [])) : [bar(common)]));
  }

  restyle() {
    for (const matrix of this.matrices) matrix.restyle();
  }
}
