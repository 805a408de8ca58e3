/** Figures of a run to keep: Plotly figures from the real values, and rows for CSV. */

import { color } from "../color.js";
import { escaped, mapFigure, paper } from "../exports.js";
import { inQuotes, nameOf, short, t } from "../words.js";

/** What a saved figure is called: checkpoint, quantity, what was read. */
export function titleOf({ about, sourceText, text }, what) {
  const cut = (words) => escaped(words.length > 70 ? `${words.slice(0, 70)}…` : words);
  return `${escaped(about.title ?? about.id)}: ${what}<br><sub>${inQuotes(cut(sourceText))} → ${inQuotes(cut(text))}</sub>`;
}

/** How sure the network was of every word. */
export function textFigure(run) {
  const { target } = run;
  return {
    data: [{ type: "bar", x: target.map((_, k) => k), y: target.map(({ probability }) => probability), marker: { color: color("--q-y") } }],
    layout: {
      ...paper(titleOf(run, t("probability of every word")), Math.max(720, 160 + 36 * target.length), 400),
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
export function stateFigure(run, store, point, order) {
  const { data, layout } = mapFigure(run.about, store, point, order);
  const [low, high] = point.limits;
  const title = titleOf(run, `${nameOf(point.letter)} ${point.letter} (${point.name}), ${short(low)} … ${short(high)}`);
  const margin = { ...layout.margin, t: 84, b: 110 };
  const xaxis = { ...layout.xaxis, tickangle: -60, tickfont: { size: 12 }, title: { text: "" } };
  return { data, layout: { ...layout, height: layout.height + 60, width: Math.max(layout.width, 160 + 36 * store.length), margin, xaxis, title: { ...layout.title, text: title } } };
}
