/** Figures of a translation to keep: Plotly figures from the real values, and rows for CSV. */

import { attentionRamp, color, signedRamp } from "../color.js";
import { escaped, mapFigure, mapRows, paper, scaleOf } from "../exports.js";
import { nameOf, short, t } from "../words.js";

/** What a saved figure is called: checkpoint, quantity, the sentence. */
function titleOf({ about, sourceText, text }, what) {
  const cut = (words) => escaped(words.length > 70 ? `${words.slice(0, 70)}…` : words);
  return `${escaped(about.title ?? about.id)}: ${what}<br><sub>“${cut(sourceText)}” → “${cut(text)}”</sub>`;
}

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

/** How sure the network was of every word. */
export function textFigure(translation) {
  const { target } = translation;
  return {
    data: [{ type: "bar", x: target.map((_, k) => k), y: target.map(({ probability }) => probability), marker: { color: color("--q-y") } }],
    layout: {
      ...paper(titleOf(translation, t("probability of every word")), Math.max(720, 160 + 36 * target.length), 400),
      margin: { l: 64, r: 24, t: 84, b: 110 },
      xaxis: { tickvals: target.map((_, k) => k), ticktext: target.map(({ label }) => escaped(label)), tickangle: -60, showgrid: false },
      yaxis: { range: [0, 1], title: { text: "p" } },
    },
  };
}

/** The text, one row a token. */
export function textRows({ source, target }) {
  const ranks = [1, 2, 3, 4, 5, 6, 7, 8];
  const at = (list, k) => (k === null ? "" : (list[k]?.token ?? ""));
  return [
    ["step", "token", "token_id", "text", "probability", "given", "forced_to", "looks_most_at", "weight", ...ranks.flatMap((n) => [`top${n}`, `top${n}_probability`])],
    ...target.map((one, k) => {
      const best = one.attention ? one.attention.indexOf(Math.max(...one.attention)) : null;
      return [
        k, one.token, one.token_id, one.copy ?? one.token, one.probability, one.given ? 1 : 0, at(source, one.forced), at(source, best),
        best === null ? "" : one.attention[best],
        ...ranks.flatMap((n) => [one.top[n - 1]?.token ?? "", one.top[n - 1]?.probability ?? ""]),
      ];
    }),
  ];
}

/** One heat map of states: a column a token. */
export function stateFigure(translation, store, point, order) {
  const { data, layout } = mapFigure(translation.about, store, point, order);
  const [low, high] = point.limits;
  const title = titleOf(translation, `${nameOf(point.letter)} ${point.letter} (${point.name}), ${short(low)} … ${short(high)}`);
  const margin = { ...layout.margin, t: 84, b: 110 };
  const xaxis = { ...layout.xaxis, tickangle: -60, tickfont: { size: 12 }, title: { text: "" } };
  return { data, layout: { ...layout, height: layout.height + 60, width: Math.max(layout.width, 160 + 36 * store.length), margin, xaxis, title: { ...layout.title, text: title } } };
}

/** One row a token. */
export function stateRows(store, point, order) {
  const [head, ...rows] = mapRows(store, point, order);
  return [["step", "token", ...head.slice(2)], ...rows];
}
