/** The lens to keep: a Plotly figure from the real values, and rows for CSV. */

import { hue, sequential } from "../color.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { t } from "../words.js";
import { titleOf } from "./saver.js";

/** Rows of the table from the embedding up. */
const rowsOf = (table) => Array.from({ length: table.layers + 1 }, (_, row) => row);

/** @param {import("./lens-table.js").LensTable} table */
export function lensFigure(table) {
  const { store, known, length, labels } = table;
  const times = Array.from({ length }, (_, k) => k);
  const z = rowsOf(table).map((row) => times.map((time) => known.get(time)?.[row].chances[0] ?? null));
  const word = (row, time) => (known.has(time) ? table.word(known.get(time)[row].tokens[0], time) : "");
  const text = rowsOf(table).map((row) => times.map((time) => escaped(word(row, time))));
  const title = titleOf(store, t("what would be predicted after every layer"));
  return {
    data: [{ type: "heatmap", z, text, texttemplate: "%{text}", textfont: { family: "monospace", size: 11 }, zmin: 0, zmax: 1, colorscale: scaleOf(sequential(hue("y"))), colorbar: { thickness: 12, outlinewidth: 0 }, xgap: 1, ygap: 1 }],
    layout: {
      ...paper(title, Math.max(640, 200 + Math.round(table.columnWidth) * length), 180 + 30 * (table.layers + 1)),
      xaxis: { tickvals: times, ticktext: labels.map(escaped), tickangle: 0, tickfont: { family: "monospace", size: 11 }, showgrid: false, zeroline: false },
      yaxis: { tickvals: rowsOf(table), ticktext: rowsOf(table).map((row) => table.nameOf(row - 1)), showgrid: false, zeroline: false, automargin: true },
    },
  };
}

/** @param {import("./lens-table.js").LensTable} table */
export function lensRows(table) {
  const ranks = [1, 2, 3, 4, 5];
  const rows = [["step", "token", "really_next", "layer", ...ranks.flatMap((n) => [`top${n}`, `top${n}_probability`])]];
  for (let time = 0; time < table.length; time++) {
    for (const row of rowsOf(table)) {
      const { tokens = [], chances = [] } = table.known.get(time)?.[row] ?? {};
      rows.push([time, table.read[time], table.truthTokens[time] ?? "", row ? row - 1 : "embedding", ...ranks.flatMap((n) => [tokens[n - 1] ?? "", chances[n - 1] ?? ""])]);
    }
  }
  return rows;
}
