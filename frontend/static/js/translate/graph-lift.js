/** What the graph lifts out: the arcs of the step in view with their numbers, or of one read word. */

import { at, svg } from "../decoder/svg.js";
import { percent } from "../words.js";
import { arc, course, COUNTED, drawn, SEEN } from "./graph-marks.js";

const NUMBERED = 0.03; // a weight below it has no number

/** Course of the arc from a read word to a step. */
function between(layout, target, source) {
  const { rows } = layout;
  return course(layout.source[source].middle, rows.annotation - 3, layout.target[target].middle, rows.hang + 2);
}

/** From the one vector to a step. */
function outward(layout, target) {
  const { box, rows } = layout;
  return course(box.x + box.width / 2, box.y - 3, layout.target[target].middle, rows.context + 5);
}

/** All arcs of one step, faint. */
export function faintArcs(layout, token, target) {
  const group = svg("g", { class: "sg-of-step", "data-step": target });
  if (layout.box) group.append(svg("path", { class: "sg-line given-out", d: outward(layout, target) }));
  else if (token.attention) group.append(...drawn(token.attention, SEEN).map((source) => arc(between(layout, target, source), token.attention[source], false)));
  return group;
}

/**
 * The step in view.
 * @returns {{arcs: SVGElement[], numbers: SVGElement[]}}
 */
export function ofStep(layout, token, target, fresh) {
  const kind = fresh ? " fresh" : "";
  if (layout.box) return { arcs: [svg("path", { class: `sg-line given-out current${kind}`, pathLength: 1, d: outward(layout, target) })], numbers: [] };
  if (!token.attention) return { arcs: [], numbers: [] };
  const sources = drawn(token.attention, COUNTED);
  const forced = token.forced !== null && token.forced !== undefined;
  const diamond = forced ? [mark(layout, token.forced)] : [];
  const arcs = sources.map((source) => {
    const weight = token.attention[source];
    const path = arc(between(layout, target, source), weight, true, { "data-target": target, "data-source": source, pathLength: 1 });
    path.classList.toggle("fresh", fresh);
    return path;
  });
  const numbers = sources
    .filter((source) => token.attention[source] >= NUMBERED)
    .map((source) => number(layout, layout.source[source].middle, layout.rows.annotation - 13, token.attention[source]));
  return { arcs: [...arcs, ...diamond], numbers };
}

/** A diamond at the word that a reader made the step look at. */
function mark(layout, source) {
  const [x, y] = [at(layout.source[source].middle), layout.rows.annotation];
  return svg("path", { class: "sg-diamond", d: `M${x} ${y - 6}l5 6l-5 6l-5 -6z` });
}

/** Who looks at one read word. */
export function ofSource(layout, target, source) {
  const arcs = [];
  const numbers = [];
  target.forEach(({ attention }, step) => {
    if (!attention || attention[source] < COUNTED) return;
    arcs.push(arc(between(layout, step, source), attention[source], true, { "data-target": step, "data-source": source }));
    if (attention[source] >= NUMBERED) numbers.push(number(layout, layout.target[step].middle, layout.rows.hang + 14, attention[source]));
  });
  return { arcs, numbers };
}

/** A weight in words; in narrow columns whole percents, whose sign is at the row's name. */
function number(layout, x, y, weight) {
  const text = layout.narrow ? String(Math.round(100 * weight)) : percent(weight);
  return svg("text", { class: "sg-number", x: at(x), y: at(y), "text-anchor": "middle" }, text);
}
