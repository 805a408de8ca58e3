/** The parts of the graph: the encoder whole, one step of the decoder, the one vector of a network without attention. */

import { at, svg } from "../decoder/svg.js";
import { short, t } from "../words.js";
import { arrow, line, strip } from "./graph-marks.js";

const EDGE = 3; // px between an arrow and what it points at

/** Name of the hidden state of an encoder layer. */
export function encoderPoint(layer, backward) {
  return `encoder.${layer}${backward ? ".reverse" : ""}.h`;
}

/** How many encoder layers there are, by the points' names. */
export function encoderLayers(about) {
  const numbers = about.points.map(({ name }) => /^encoder\.(\d+)\.h$/.exec(name)?.[1]).filter(Boolean);
  return Math.max(1, ...numbers.map((number) => Number(number) + 1));
}

/** A label, lying flat or leaning away from the drawing. */
export function labelled(text, column, y, height, leaning, kind, above) {
  if (!leaning) {
    return svg("text", { class: `sg-label ${kind}`, x: at(column.middle), y: y + height / 2 + 1, "text-anchor": "middle", "dominant-baseline": "middle" }, text);
  }
  const [x, foot] = [column.middle + (above ? -2 : 3), above ? y + height - 4 : y + 6];
  const turned = { class: `sg-label ${kind}`, "text-anchor": above ? "start" : "end", "dominant-baseline": "middle" };
  return svg("text", { ...turned, transform: `translate(${at(x)} ${foot}) rotate(-56)` }, text);
}

/** Row k of a point (rows, unit). */
function row(point, k) {
  const units = point.shape.at(-1);
  return point.data.subarray(k * units, (k + 1) * units);
}

/** Where the directions of a column stand: forward to the left, backward to the right; one alone in the middle. */
function pairOf(column, strip, both) {
  const shift = both ? strip * 0.25 : 0;
  return { forward: column.middle - shift - strip / 2, backward: column.middle + shift - strip / 2, inward: both ? strip * 0.42 : 0 };
}

/** Everything that was read: a forward chain to the right, a backward chain to the left. */
export function encoderOf(layout, translation, labels) {
  const { rows, source, leaning } = layout;
  const { sourcePoints, attends } = translation;
  const arrows = svg("g", { "aria-hidden": "true" });
  const strips = svg("g", { "aria-hidden": "true" });
  rows.layers.forEach(({ layer, backward, forward, from }, place) => {
    const points = [encoderPoint(layer, false), encoderPoint(layer, true)].map((name) => sourcePoints[name]);
    const joins = place ? (backward ?? forward) - 12 : rows.annotation;
    source.forEach((column, k) => {
      const both = backward !== null;
      const pair = pairOf(column, rows.strip, both);
      const next = source[k + 1] && pairOf(source[k + 1], rows.strip, both);
      const [left, right] = [column.middle - pair.inward, column.middle + pair.inward];
      const middle = rows.encoderHeight / 2;
      arrows.append(arrow(left, from - 2, left, forward + rows.encoderHeight + EDGE, "in"));
      if (both) arrows.append(arrow(right, from - 2, right, backward + rows.encoderHeight + EDGE, "in"));
      if (next) arrows.append(arrow(pair.forward + rows.strip + 1, forward + middle, next.forward - EDGE + 1, forward + middle, "state"));
      if (next && both) arrows.append(arrow(next.backward - 1, backward + middle, pair.backward + rows.strip + EDGE - 1, backward + middle, "state"));
      const ends = attends || place > 0;
      if (ends) arrows.append(line([[left, forward - 1], [left, joins + 4], [column.middle, joins]], "joins"));
      if (ends && both) arrows.append(line([[right, backward - 1], [right, joins + 4], [column.middle, joins]], "joins"));
      const heights = { width: rows.strip, height: rows.encoderHeight };
      if (points[0]) strips.append(strip(row(points[0], k), { x: pair.forward, y: forward, ...heights }));
      if (points[1]) strips.append(strip(row(points[1], k), { x: pair.backward, y: backward, ...heights }));
      if (ends) strips.append(svg("circle", { class: "sg-annotation", cx: at(column.middle), cy: joins, r: 2.5 }));
    });
  });
  const words = source.map((column, k) => {
    const { copied } = translation.source[k];
    return svg(
      "g",
      { class: `sg-source${copied ? " copied" : ""}`, "data-source": k, role: "button", tabindex: -1 },
      svg("rect", { class: "sg-hit", x: at(column.x), y: rows.annotation - 22, width: at(column.width), height: layout.height - rows.annotation + 22 }),
      labelled(labels[k], column, rows.source, rows.label, leaning, "read", false),
    );
  });
  return svg("g", { class: "sg-encoder" }, arrows, strips, ...words);
}

/** The first state of the decoder comes from the two ends of the encoder, or is its last state. */
export function beginning(layout, start) {
  const { rows, begin, source, leaning, handed } = layout;
  const y = rows.annotation + (handed ? -14 : 8);
  const told = handed ? t("the decoder's first state is the encoder's last") : t("the decoder's first state, made from both ends of the encoder");
  const group = svg("g", { class: "sg-begin" }, svg("title", {}, told));
  if (source.length && handed) {
    const [last, up] = [source.at(-1).middle, begin.x + 4];
    group.append(line([[last, rows.layers[0].forward - 1], [last, y], [up, y], [up, rows.decoder + rows.decoderHeight + EDGE]], "bridge"), svg("circle", { class: "sg-knot", cx: at(last), cy: rows.layers[0].forward - 1, r: 2 }));
  } else if (source.length) {
    const far = source.at(-1).middle - rows.strip * 0.42;
    const near = source[0].middle + rows.strip * 0.42;
    const up = begin.x + 4;
    group.append(line([[far, y], [up, y], [up, rows.decoder + rows.decoderHeight + EDGE]], "bridge"), svg("circle", { class: "sg-knot", cx: at(far), cy: y, r: 2 }), svg("circle", { class: "sg-knot", cx: at(near), cy: y, r: 2 }));
  }
  group.append(
    svg("rect", { class: "sg-first", x: at(begin.x + 1), y: rows.decoder, width: at(rows.strip * 0.6), height: rows.decoderHeight, rx: 2 }),
    labelled(start, begin, rows.target, rows.label, leaning, "sign", true),
  );
  return group;
}

/**
 * One step: the token written, the state that wrote it, its context, and the token before, fed in.
 * @param {object} layout @param {object} token of `translation.target` @param {string} label
 */
export function stepOf(layout, token, label, index, attends) {
  const { rows, leaning } = layout;
  const column = layout.target[index];
  const before = layout.target[index - 1] ?? layout.begin;
  const left = column.middle - rows.strip / 2;
  const [top, foot] = [rows.label, rows.decoder + rows.decoderHeight];
  const group = svg("g", {
    class: `sg-step${token.chosen ? " given" : ""}${token.forced === null || token.forced === undefined ? "" : " forced"}`,
    "data-target": index,
    role: "button",
    tabindex: -1,
  });
  group.append(svg("rect", { class: "sg-hit", x: at(column.x), y: 0, width: at(column.width), height: rows.hang + 6 }));
  const chain = rows.decoder + rows.decoderHeight / 2;
  const reach = index ? before.middle + rows.strip / 2 : before.x + rows.strip * 0.6 + 1;
  group.append(
    arrow(reach + 1, chain, left - EDGE, chain, "state"),
    // The token before goes in at the state's corner; the token written comes out of its middle.
    arrow(Math.min(before.middle + 6, left - 4), top + 1, left + 2, rows.decoder - EDGE, "fed"),
    arrow(column.middle + 1, rows.decoder - 2, column.middle + 1, top + EDGE, "out"),
  );
  if (!layout.handed) group.append(arrow(column.middle, rows.context - 1, column.middle, foot + EDGE, "context"));
  const h = token.points["decoder.0.h"];
  if (h) group.append(strip(h, { x: left, y: rows.decoder, width: rows.strip, height: rows.decoderHeight }));
  const context = attends ? token.points.context : null;
  if (context) group.append(strip(context, { x: left, y: rows.context, width: rows.strip, height: rows.contextHeight }, 1, false, 6));
  if (layout.box) group.append(svg("circle", { class: "sg-joint", cx: at(column.middle), cy: rows.context + 2, r: 3 }));
  if (!leaning) {
    group.append(svg("rect", { class: "sg-word", x: at(column.x + 3), y: 1, width: at(column.width - 6), height: rows.label - 2, rx: 3, "fill-opacity": at(0.06 + 0.3 * token.probability) }));
  }
  group.append(labelled(label, column, rows.target, rows.label, leaning, "written", true));
  return group;
}

/** The bottleneck: all that was read, in one vector, on its way to every step. */
export function bottleneck(layout, point) {
  const { box, rows, source } = layout;
  const group = svg("g", { class: "sg-box" });
  const limit = point.data.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0) || 1;
  const foot = box.y + box.height;
  // The last state of either direction: forward at the last word, backward at the first.
  const [last] = rows.layers;
  for (const [k, side, from] of [[source.length - 1, -1, last.forward], [0, 1, last.backward]]) {
    const x = at(source[k].middle + side * rows.strip * 0.42);
    const into = at(box.x + box.width / 2 - side * 24);
    const bend = (rows.annotation - foot) / 2;
    const curve = `C${x} ${at(rows.annotation - bend)} ${into} ${at(foot + bend)} ${into} ${foot + 2}`;
    group.append(svg("path", { class: "sg-line flows", d: `M${x} ${from - 1}V${rows.annotation}${curve}` }));
  }
  const size = point.data.length;
  group.append(
    strip(point.data, box, limit, true, 48),
    svg("rect", { class: "sg-frame", x: box.x - 2, y: box.y - 2, width: box.width + 4, height: box.height + 4, rx: 3 }),
    svg("text", { class: "sg-letter", x: box.x - 10, y: box.y + box.height / 2 + 1, "text-anchor": "end", "dominant-baseline": "middle" }, "C"),
    svg("text", { class: "sg-note", x: box.x + box.width + 9, y: box.y + box.height / 2 + 1, "dominant-baseline": "middle" }, t("{n} numbers, {low} … {high}", { n: size, low: short(-limit), high: short(limit) })),
  );
  return group;
}
