/** What the graph's rows are called, and what its colours and widths mean. */

import { signedRamp } from "../color.js";
import { make, t } from "../words.js";

function letter(text, name) {
  return make("i", { class: `q q-${name}` }, text);
}

/**
 * The letters of the rows, left of the drawing.
 * @param {HTMLElement} gutter @param {object} layout of graph-layout.js
 * @param {number} layers of the encoder; with one, it has no number
 */
export function nameRows(gutter, { rows, box, handed, narrow }, layers, scale) {
  const entry = (y, ...content) => {
    const node = make("span", {}, ...content);
    node.style.top = `${y * scale}px`;
    return node;
  };
  const context = rows.context + rows.contextHeight / 2;
  const directions = rows.layers.flatMap(({ layer, backward, forward }) => {
    const number = layers > 1 ? ` ${layer + 1}` : "";
    const half = rows.encoderHeight / 2;
    const there = entry(forward + half, letter("h", "h"), `${number} →`);
    return backward === null ? [there] : [entry(backward + half, letter("h", "h"), `${number} ←`), there];
  });
  const contexts = box ? [entry(context - 5, letter("C", "value"))] : [entry(context, letter("c", "value")), entry(rows.annotation - 17, letter("α", "attention"), narrow ? " %" : "")];
  gutter.replaceChildren(
    entry(rows.label - 13, letter("y", "y")),
    entry(rows.decoder + rows.decoderHeight / 2, letter("s", "h")),
    ...(handed ? [] : contexts),
    ...directions,
    entry(rows.source + 13, letter("x", "x")),
  );
}

/** The ramp of the states with its limits, and the width of an arc with its own. */
export function explain(legend, { box, handed }) {
  const bar = make("i", { class: "sg-bar" });
  const { css } = signedRamp();
  bar.style.background = `linear-gradient(90deg, ${[0, 64, 128, 192, 255].map((k) => css[k]).join(", ")})`;
  const states = make("span", {}, `${t("states")} −1 `, bar, " 1");
  const weights = make("span", {}, `${t("width of an arc: its weight")} 0 `, make("i", { class: "sg-wedge" }), " 1");
  legend.replaceChildren(states, ...(box || handed ? [] : [weights]));
}
