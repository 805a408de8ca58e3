/** Marks of the gradient bench, and its scale. */

import { at as px, svg } from "../decoder/svg.js";

const LIMIT = 30; // decades either side of 1 that are drawn

/** A mark of a network: round, square or a triangle, so that colour is not needed. */
export function dot(family, x, y, r) {
  const kind = `gb-dot of-${family}`;
  if (family === "lstm") return svg("rect", { class: kind, x: px(x - r), y: px(y - r), width: px(2 * r), height: px(2 * r) });
  if (family === "gru") return svg("path", { class: kind, d: `M${px(x)} ${px(y - r * 1.3)}l${px(r * 1.25)} ${px(r * 2.2)}h${px(-r * 2.5)}z` });
  return svg("circle", { class: kind, cx: px(x), cy: px(y), r: px(r) });
}

/** The decades that hold all numbers of some lines, at most LIMIT either side of 1. */
export function decades(lines) {
  let low = Infinity;
  let high = -Infinity;
  for (const line of lines) {
    for (const value of line) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [-1, 1];
  low = Math.max(-LIMIT, Math.floor(low));
  high = Math.min(LIMIT, Math.max(Math.ceil(high), low + 2));
  return [Math.min(low, high - 2), high];
}
