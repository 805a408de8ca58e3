/** The figures of a step to keep: its matrices as heat maps, and their numbers, a row a cell. */

import { attentionRamp, signedRamp } from "../../color.js";
import { escaped, paper, scaleOf } from "../../exports.js";
import { provide, titleOf } from "../saver.js";
import { limitOf } from "./numbers.js";

const CELL = 18; // px of a row
const WIDE = 900;
const BETWEEN = 70; // px

/** @param {string} name  of the place @param {import("./step.js").Step} step */
export function saved(name, step) {
  const heading = step.section.querySelector("h2").textContent;
  provide(name, {
    figure: () => figureOf(titleOf(step.walk, heading), step.tables()),
    rows: () => rowsOf(step.tables()),
  });
}

function figureOf(title, tables) {
  const heights = tables.map(({ rows }) => Math.max(40, rows.length * CELL));
  const whole = heights.reduce((sum, height) => sum + height + BETWEEN, 0);
  const layout = { ...paper(title, WIDE, whole + 130), annotations: [] };
  layout.margin.t = 96;
  let top = 0;
  const data = tables.map(({ name, rows, columns, values, weights }, k) => {
    const n = k ? String(k + 1) : "";
    const place = (px) => 1 - px / whole;
    const ticks = (labels) => ({ tickvals: labels.map((_, at) => at), ticktext: labels.map(escaped), showgrid: false, zeroline: false });
    const every = Math.ceil(columns.length / 48);
    layout[`yaxis${n}`] = { ...ticks(rows), domain: [place(top + heights[k]), place(top)], autorange: "reversed" };
    layout[`xaxis${n}`] = { ...ticks(columns), tickvals: columns.map((_, at) => at).filter((at) => at % every === 0), ticktext: columns.filter((_, at) => at % every === 0).map(escaped), anchor: `y${n}` };
    layout.annotations.push({ text: escaped(name), xref: "paper", yref: "paper", x: 0, y: place(top), xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 13 } });
    const { limit } = weights ? { limit: 1 } : limitOf(values);
    const z = rows.map((_, row) => Array.from(values.slice(row * columns.length, (row + 1) * columns.length)));
    const colorbar = { thickness: 10, outlinewidth: 0, len: heights[k] / whole, y: place(top + heights[k] / 2) };
    top += heights[k] + BETWEEN;
    return { type: "heatmap", z, zmin: weights ? 0 : -limit, zmax: limit, colorscale: scaleOf(weights ? attentionRamp() : signedRamp()), colorbar, xaxis: `x${n}`, yaxis: `y${n}` };
  });
  return { data, layout };
}

function rowsOf(tables) {
  const cells = tables.flatMap(({ name, rows, columns, values }) => rows.flatMap((row, i) => columns.map((column, j) => [name, i, row, j, column, values[i * columns.length + j]])));
  return [["matrix", "row", "row_label", "column", "column_label", "value"], ...cells];
}
