/** The alignment to keep: a Plotly figure from the real values, and rows for CSV. */

import { attentionRamp, signedRamp } from "../color.js";
import { titleOf } from "../decoder/figures.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { t } from "../words.js";

/** The alignment with its real values. @param {"weight"|"energy"} quantity */
export function alignmentFigure(translation, quantity, [zmin, zmax], row) {
  const { source, target } = translation;
  const labels = (tokens) => tokens.map(({ label }) => escaped(label));
  const what = quantity === "energy" ? t("energies e") : t("weights α");
  const layout = paper(titleOf(translation, what), 240 + 30 * source.length, 220 + 24 * target.length);
  const axis = (tokens) => ({ tickvals: tokens.map((_, k) => k), ticktext: labels(tokens), showgrid: false, zeroline: false, ticks: "" });
  return {
    data: [{
      type: "heatmap",
      z: target.map((_, k) => Array.from(row(k) ?? [])),
      zmin,
      zmax,
      xgap: 1,
      ygap: 1,
      colorscale: scaleOf(quantity === "energy" ? signedRamp() : attentionRamp()),
      colorbar: { thickness: 12, outlinewidth: 0, title: { text: quantity === "energy" ? "e" : "α" } },
    }],
    layout: {
      ...layout,
      margin: { l: 130, r: 24, t: 190, b: 24 },
      title: { ...layout.title, y: 0.98, yanchor: "top" },
      xaxis: { ...axis(source), side: "top", tickangle: -60 },
      yaxis: { ...axis(target), autorange: "reversed" },
    },
  };
}

export function alignmentRows(translation, row) {
  const { source, target } = translation;
  return [
    ["step", "token", ...source.map(({ token }) => token)],
    ...target.map(({ token }, k) => [k, token, ...(row(k) ?? [])]),
  ];
}
