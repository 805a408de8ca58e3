/** The figures of this page as files: PNG, SVG and CSV of the numbers that are drawn. */

import { color, signedRamp } from "../color.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { surpriseScale } from "../surprise-rows.js";
import { inQuotes, mark, t } from "../words.js";

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "4px 2px 1px 2px", "1px 3px"];

const titled = (what, tokens) => {
  const text = tokens.slice(0, 50).map((token) => (token === "\n" ? " ↵ " : token)).join("");
  return `${escaped(what)}<br><sub>${inQuotes(escaped(text) + (tokens.length > 50 ? "…" : ""))}</sub>`;
};

const wide = (tokens) => Math.max(760, Math.min(2600, 220 + tokens.length * 12));

function characters(tokens) {
  const every = Math.ceil(tokens.length / 180);
  const places = tokens.map((_, k) => k).filter((k) => k % every === 0);
  return { tickvals: places, ticktext: places.map((k) => (every === 1 ? escaped(mark(tokens[k])) : String(k))), tickangle: 0, tickfont: { family: "monospace", size: 11 }, showgrid: false, zeroline: false };
}

/** Bits of every network at every character. */
export function rowsFigure(runs, tokens, full) {
  const { ramp } = surpriseScale();
  return {
    data: [{ type: "heatmap", z: runs.map(({ reading }) => Array.from(reading.bits, (value) => (Number.isNaN(value) ? null : value))), y: runs.map(({ network }) => network.name), zmin: 0, zmax: full, colorscale: scaleOf({ css: ramp }), colorbar: { thickness: 12, outlinewidth: 0, title: { text: t("bits") } } }],
    layout: { ...paper(titled(t("surprise at each character"), tokens), wide(tokens), 150 + 40 * runs.length), margin: { l: 130, r: 24, t: 72, b: 48 }, xaxis: characters(tokens), yaxis: { autorange: "reversed" } },
  };
}

/** The means over the text, as bars. @param {{network, place, bits: number}[]} rows */
export function summaryFigure(rows, tokens) {
  return {
    data: [{ type: "bar", orientation: "h", y: rows.map(({ network }) => network.name), x: rows.map(({ bits }) => bits), text: rows.map(({ bits }) => bits.toFixed(2)), marker: { color: rows.map(({ place }) => color(`--net-${place % 8}`)) } }],
    layout: { ...paper(titled(t("bits, this text"), tokens), 820, 160 + 40 * rows.length), margin: { l: 130, r: 24, t: 72, b: 48 }, yaxis: { autorange: "reversed" } },
  };
}

export function summaryTable(rows) {
  return [["network", "parameters", "bits_test_text", "bits_this_text"], ...rows.map(({ network, test, bits }) => [network.id, network.about.parameters, test, bits])];
}

export function rowsTable(runs, tokens) {
  return [
    ["place", "character", ...runs.flatMap(({ network }) => [`${network.id} probability`, `${network.id} bits`])],
    ...tokens.map((token, k) => [k, token, ...runs.flatMap(({ reading }) => [reading.probability[k], reading.bits[k]])]),
  ];
}

/** One less the other. */
export function differenceFigure(tokens, values, names, full) {
  return {
    data: [{ type: "bar", x: tokens.map((_, k) => k), y: Array.from(values), marker: { color: Array.from(values), cmin: -full, cmax: full, colorscale: scaleOf(signedRamp()), showscale: true, colorbar: { thickness: 12, outlinewidth: 0 } } }],
    layout: { ...paper(titled(t("bits of {one} less those of {two}", names), tokens), wide(tokens), 360), xaxis: characters(tokens), yaxis: { title: { text: t("bits") } } },
  };
}

export function differenceTable(tokens, values, names) {
  return [["place", "character", `${names.one} - ${names.two}, bits`], ...tokens.map((token, k) => [k, token, k ? values[k] : ""])];
}

/** Lines of several networks. @param {{network, place, ys}[]} lines */
export function linesFigure(title, xs, lines, { across, up, log = false, ticks = {} }) {
  return {
    data: lines.map(({ network, place, ys }) => ({ type: "scatter", mode: log ? "lines+markers" : "lines", name: network.name, x: xs, y: ys, line: { color: color(`--net-${place % 8}`), dash: DASHES[place % 8] } })),
    layout: { ...paper(title, 820, 460), xaxis: { type: log ? "log" : "linear", title: { text: across }, ...ticks }, yaxis: { title: { text: up } }, legend: { orientation: "h", y: -0.2 } },
  };
}

export function memoryFigure(lengths, curves, tokens, what) {
  return linesFigure(titled(what, tokens), lengths, curves, { across: t("characters given before each one"), up: t("bits"), log: true, ticks: { tickvals: lengths, ticktext: lengths.map((x, k) => (k === lengths.length - 1 ? t("all") : String(x))) } });
}

export function linesTable(name, xs, lines) {
  return [[name, ...lines.map(({ network }) => network.id)], ...xs.map((x, k) => [x, ...lines.map(({ ys }) => ys[k])])];
}
