/** The marks of the graph: strips of states, arrows, arcs. Each is a small function of its data. */

import { signedRamp } from "../color.js";
import { at, svg } from "../decoder/svg.js";

const CELLS = 14; // of a strip: each shows the strongest of the units it covers
export const SEEN = 0.02; // a weight below it has no faint arc
export const COUNTED = 0.004; // nor one of the step in view below this

/** The strongest value of each of `cells` runs of units, and NaN where a run holds one. */
export function strongest(values, cells = CELLS) {
  const rows = Math.min(cells, values.length);
  return Array.from({ length: rows }, (_, row) => {
    let best = 0;
    const stop = Math.floor(((row + 1) * values.length) / rows);
    for (let k = Math.floor((row * values.length) / rows); k < stop; k++) {
      if (Number.isNaN(values[k])) return NaN;
      if (Math.abs(values[k]) > Math.abs(best)) best = values[k];
    }
    return best;
  });
}

/**
 * A state as a strip of colours, first unit at the top (or left, lying).
 * @param {Float32Array} values @param {{x: number, y: number, width: number, height: number}} place
 * @param {number} limit value at the ends of the ramp @param {boolean} lying
 */
export function strip(values, { x, y, width, height }, limit = 1, lying = false, cells = CELLS) {
  const { css } = signedRamp();
  const shades = strongest(values, cells);
  const each = (lying ? width : height) / shades.length;
  const group = svg("g", { class: "sg-strip" });
  shades.forEach((value, k) => {
    const shade = css[Math.max(0, Math.min(255, Math.round(((value / limit + 1) / 2) * 255)))];
    const place = lying
      ? { x: at(x + k * each), y, width: at(each + 0.3), height }
      : { x: at(x), y: at(y + k * each), width: at(width), height: at(each + 0.3) };
    group.append(svg("rect", { ...place, ...(Number.isNaN(value) ? { class: "sg-nan" } : { fill: shade }) }));
  });
  group.append(svg("rect", { x: at(x), y: at(y), width: at(width), height: at(height), class: "sg-edge" }));
  return group;
}

/** A straight arrow; its head points from the first point to the second. */
export function arrow(x1, y1, x2, y2, kind) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 3) return svg("g");
  const size = Math.min(3.5, length / 2);
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const back = (side) => `${at(x2 - size * dx + side * size * dy)} ${at(y2 - size * dy - side * size * dx)}`;
  return svg("path", {
    class: `sg-arrow ${kind}`,
    d: `M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2)}M${back(1)}L${at(x2)} ${at(y2)}L${back(-1)}`,
  });
}

/** A line with corners. @param {[number, number][]} points */
export function line(points, kind) {
  return svg("path", { class: `sg-line ${kind}`, d: `M${points.map(([x, y]) => `${at(x)} ${at(y)}`).join("L")}` });
}

/** The course of an arc from an annotation up to a context. */
export function course(x1, y1, x2, y2) {
  const bend = (y1 - y2) * 0.5;
  return `M${at(x1)} ${at(y1)}C${at(x1)} ${at(y1 - bend)} ${at(x2)} ${at(y2 + bend)} ${at(x2)} ${at(y2)}`;
}

/**
 * An arc as wide and as strong as its weight.
 * @param {number} weight 0 to 1 @param {boolean} current of the step in view
 */
export function arc(d, weight, current, more = {}) {
  return svg("path", {
    class: `sg-arc${current ? " current" : ""}`,
    d,
    "stroke-width": at(current ? 0.9 + 7.5 * weight : 0.5 + 3.5 * weight),
    "stroke-opacity": Math.round(100 * (current ? 0.22 + 0.78 * weight : 0.06 + 0.3 * weight)) / 100,
    ...more,
  });
}

/** The positions whose arcs are drawn: those that can be seen, and the strongest in any case. */
export function drawn(attention, least) {
  const kept = [];
  let best = 0;
  attention.forEach((weight, source) => {
    if (weight > attention[best]) best = source;
    if (weight >= least) kept.push(source);
  });
  return kept.length || !attention.length ? kept : [best];
}
