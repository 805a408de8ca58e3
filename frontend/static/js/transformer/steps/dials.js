/** Rotary positions as dials: how far each pair of numbers is turned at a place. */

import { svg } from "../../decoder/svg.js";
import { t } from "../../words.js";

const SIZE = 16; // of a dial, in units of the drawing

/** @param {number} position @param {number} pairs @param {number} base */
export function dials(position, pairs, base) {
  const drawing = svg("svg", { viewBox: `0 0 ${pairs * SIZE} ${SIZE}`, class: "dial-row", role: "img", "aria-label": t("angles by which place {n} turns the pairs of numbers: the first pairs turn fast, the last hardly", { n: position }), preserveAspectRatio: "xMinYMid meet" });
  for (let i = 0; i < pairs; i++) {
    const turns = position * base ** (-i / pairs);
    const [x, y, r] = [(i + 0.5) * SIZE, SIZE / 2, SIZE / 2 - 1.5];
    const title = svg("title", {}, `#${i}, #${i + pairs}: ${((turns * 180) / Math.PI).toFixed(1)}°`);
    drawing.append(svg("g", {}, title,
      svg("circle", { cx: x, cy: y, r, class: "dial" }),
      svg("line", { x1: x, y1: y, x2: x + r * Math.cos(turns), y2: y - r * Math.sin(turns), class: "dial-hand" })));
  }
  return drawing;
}
