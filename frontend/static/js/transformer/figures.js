/** The heads, the opened one and the look to keep: Plotly figures, and rows for CSV. */

import { attentionRamp, color, signedRamp } from "../color.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { short, t } from "../words.js";
import { labelsFor } from "./labels.js";
import { foremost, given, products, rowAt } from "./look.js";
import { titleOf } from "./saver.js";
import { valueOf } from "./sliced.js";

/** The ramp of weights as pages show it: the colour of w is that of its square root. */
function rootScale() {
  const { css } = attentionRamp();
  const plain = (words) => words.replace(/rgb\((\d+) (\d+) (\d+)\)/, "rgb($1,$2,$3)");
  return Array.from({ length: 65 }, (_, k) => [(k / 64) ** 2, plain(css[Math.round((255 * k) / 64)])]);
}

const BAR = { thickness: 12, outlinewidth: 0 };
const BARE = { showgrid: false, zeroline: false, ticks: "" };

/** The title over labels that stand over the map. */
const atTop = ({ title }) => ({ ...title, yref: "container", y: 1, yanchor: "top", pad: { t: 16 } });

// All heads

/** @param {import("./store.js").Store} store @param {import("./sliced.js").Sliced} maps */
export function headsFigure(store, maps) {
  const [L, H, rows, columns] = maps.shape;
  const z = [];
  for (let l = 0; l < L; l++) {
    for (let q = 0; q < rows; q++) {
      const line = [];
      for (let h = 0; h < H; h++) {
        const from = ((l * H + h) * rows + q) * columns;
        for (let k = 0; k < columns; k++) line.push(valueOf(maps, maps.data[from + k]));
        line.push(null); // between maps
      }
      z.push(line);
    }
    z.push(new Array(H * (columns + 1)).fill(null));
  }
  const places = (count, cells) => Array.from({ length: count }, (_, k) => k * (cells + 1) + (cells - 1) / 2);
  const side = Math.max(28, Math.min(72, 900 / H));
  const names = (count) => Array.from({ length: count }, (_, k) => String(k));
  const layout = paper(titleOf(store, t("all heads")), Math.max(560, 200 + H * side), 170 + L * side);
  return {
    data: [{ type: "heatmap", z, zmin: 0, zmax: 1, colorscale: rootScale(), colorbar: { ...BAR, title: { text: "α" } }, hoverongaps: false }],
    layout: {
      ...layout,
      margin: { ...layout.margin, t: 124 },
      title: atTop(layout),
      xaxis: { ...BARE, side: "top", tickvals: places(H, columns), ticktext: names(H), title: { text: t("head") } },
      yaxis: { ...BARE, autorange: "reversed", tickvals: places(L, rows), ticktext: names(L), title: { text: t("layer") } },
    },
  };
}

/** One row a query of every head; weights as they were sent, one part in 255 of their roots. */
export function headsRows(store, maps) {
  const [L, H, rows, columns] = maps.shape;
  const { pooled } = maps;
  const [queries, keys] = [store.queries(), store.keys()];
  const name = (k) => (pooled > 1 ? `${k * pooled}-${Math.min(keys.length, (k + 1) * pooled) - 1}` : `${k} ${keys[k]}`);
  const found = [["layer", "head", "query", "token", ...Array.from({ length: columns }, (_, k) => name(k))]];
  for (let l = 0; l < L; l++) {
    for (let h = 0; h < H; h++) {
      for (let q = 0; q < rows; q++) {
        const from = ((l * H + h) * rows + q) * columns;
        found.push([l, h, q * pooled, queries[q * pooled], ...Array.from(maps.data.subarray(from, from + columns), (byte) => Number(valueOf(maps, byte).toFixed(5)))]);
      }
    }
  }
  return found;
}

// One head

/** @param {{shape: number[], data: Float32Array}} map  real numbers @param {"attention"|"scores"} quantity */
export function headFigure(store, map, quantity) {
  const [T, S] = map.shape;
  const { layer, head } = store.state;
  const z = Array.from({ length: T }, (_, q) => Array.from(map.data.subarray(q * S, (q + 1) * S), (value) => (Number.isFinite(value) ? value : null)));
  const most = Math.max(1e-9, ...Array.from(map.data, (value) => (Number.isFinite(value) ? Math.abs(value) : 0)));
  const scores = quantity === "scores";
  const axis = (labels) => ({ ...BARE, tickvals: labels.map((_, k) => k), ticktext: labels.map(escaped) });
  const what = `${t("layer {layer}, head {head}", { layer, head })}, ${scores ? t("scores e") : t("weights α")}`;
  const layout = paper(titleOf(store, what), Math.min(2400, 260 + 24 * S), Math.min(2400, 230 + 20 * T));
  return {
    data: [{
      type: "heatmap", z, zmin: scores ? -most : 0, zmax: scores ? most : 1, xgap: T > 60 ? 0 : 1, ygap: T > 60 ? 0 : 1,
      colorscale: scores ? scaleOf(signedRamp()) : rootScale(), colorbar: { ...BAR, title: { text: scores ? "e" : "α" } },
    }],
    layout: {
      ...layout,
      margin: { l: 130, r: 24, t: 180, b: 24 },
      title: atTop(layout),
      xaxis: { ...axis(labelsFor(store, "key")), side: "top", tickangle: -60 },
      yaxis: { ...axis(labelsFor(store, "query")), autorange: "reversed" },
    },
  };
}

export function headRows(store, map) {
  const [T, S] = map.shape;
  const tokens = store.queries();
  return [
    ["query", "token", ...store.keys()],
    ...Array.from({ length: T }, (_, q) => [q, tokens[q], ...map.data.subarray(q * S, (q + 1) * S)]),
  ];
}

// One look

/** @param {import("./look.js").Look} look @param {number} i @param {number} j  query and key */
export function lookFigure(store, look, i, j) {
  const { layer, head } = store.state;
  const labels = { queries: labelsFor(store, "query"), keys: labelsFor(store, "key") };
  const k = rowAt(look.k, j, look.units);
  const most = (...rows) => Math.max(1e-9, ...rows.flatMap((row) => Array.from(row, Math.abs)));
  const givers = foremost(look.weights, 5, j);
  const strip = (rows, names, axis, limit) => ({ type: "heatmap", z: rows.map((row) => Array.from(row)), y: names, ...axis, zmin: -limit, zmax: limit, colorscale: scaleOf(signedRamp()), showscale: false, xgap: 1, ygap: 2 });
  const mixed = [...givers.map((key) => given(look, key)), look.z];
  const what = `${t("layer {layer}, head {head}", { layer, head })}, ${[labels.queries[i], labels.keys[j]].map((word) => t("quoted {word}", { word: escaped(word) })).join(" → ")}: e = ${short(look.scores[j])}, α = ${short(look.weights[j])}`;
  const places = Array.from({ length: look.keys }, (_, key) => key);
  const layout = paper(titleOf(store, what), 1100, 760);
  const units = { ...BARE, title: { text: t("unit") } };
  return {
    data: [
      strip([look.q, k], ["q", "k"], { xaxis: "x", yaxis: "y" }, most(look.q, k)),
      { type: "bar", x: Array.from(look.q, (_, u) => u), y: Array.from(products(look, j)), xaxis: "x2", yaxis: "y2", marker: { color: color("--q-attention") } },
      { type: "bar", x: places, y: Array.from(look.weights), xaxis: "x3", yaxis: "y3", marker: { color: color("--q-attention") } },
      strip(mixed, [...givers.map((key) => `α·v ${key} ${escaped(labels.keys[key])}`), "z"], { xaxis: "x4", yaxis: "y4" }, most(...mixed)),
    ],
    layout: {
      ...layout,
      showlegend: false,
      margin: { l: 120, r: 24, t: 80, b: 48 },
      xaxis: { ...BARE, showticklabels: false, anchor: "y" }, yaxis: { domain: [0.9, 1], autorange: "reversed", ticks: "" },
      xaxis2: { ...BARE, showticklabels: false, anchor: "y2" }, yaxis2: { domain: [0.7, 0.88], title: { text: "q·k" } },
      xaxis3: { ...BARE, anchor: "y3", tickvals: places, ticktext: labels.keys.map(escaped), tickangle: -60 }, yaxis3: { domain: [0.46, 0.64], title: { text: "α" } },
      xaxis4: { ...units, anchor: "y4" }, yaxis4: { domain: [0, 0.32], autorange: "reversed", ticks: "" },
    },
  };
}

/** First the units of query and key, then the tokens of the row, then the units of what is handed on. */
export function lookRows(store, look, i, j) {
  const k = rowAt(look.k, j, look.units);
  const each = products(look, j);
  const keys = store.keys();
  return [
    ["part", "place", "token", "query", "key", "product", "score", "exp", "weight", "handed_on"],
    ...Array.from(look.q, (value, u) => ["unit", u, "", value, k[u], each[u], "", "", "", look.z[u]]),
    ...Array.from(look.scores, (value, key) => ["token", key, keys[key], "", "", look.dots[key], value === -Infinity ? "-inf" : value, look.raised[key], look.weights[key], ""]),
  ];
}
