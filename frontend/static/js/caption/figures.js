/** Figures of a caption to keep: drawings with the picture in them, and rows for CSV. */

import { attentionRamp, color } from "../color.js";
import { svg } from "../decoder/svg.js";
import { escaped, paper, scaleOf } from "../exports.js";
import { inQuotes, percent, t } from "../words.js";
import { paintLight } from "./light.js";
import { View } from "./view.js";

const FRAME = 220; // px of a picture of the film strip
const ACROSS = 5;
const LARGE = 720;
const LEAST = 480; // of a whole drawing, for its title
const [HEAD, FOOT, GAP] = [40, 44, 16];

/** A picture in some light, as the address of an image. @param {object|null} light  as `paintLight` takes it */
function image(picture, light, width) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 2 * width, height: Math.round((2 * width * picture.height) / picture.width) });
  paintLight(canvas.getContext("2d"), picture, light, { raw: light?.raw });
  return canvas.toDataURL("image/jpeg", 0.88);
}

/** What stands under a picture: the word and its probability. */
function under({ target, source }, view, step) {
  const token = target[step];
  const weights = view.weightsOf(step);
  const most = weights ? Math.max(...weights) : NaN;
  const cell = weights ? source[weights.indexOf(most)].label : "";
  if (!token) return [t("all words"), weights ? `Σ α ≤ ${most.toFixed(2)} (${cell})` : ""];
  return [token.label, `p ${percent(token.probability)}${weights ? ` · α ≤ ${percent(most)} (${cell})` : ""}`];
}

/**
 * One picture in several lights, in rows with words under each, as the text of an SVG file.
 * @param {string} title @param {import("./picture.js").Picture} picture
 * @param {{light: object|null, word: string, numbers: string}[]} frames @param {number} width  px of each
 */
export function sheet(title, picture, frames, width = FRAME) {
  const height = Math.round((width * picture.height) / picture.width);
  const across = Math.min(ACROSS, frames.length);
  const rows = Math.ceil(frames.length / across);
  const size = { width: Math.max(LEAST, across * (width + GAP) + GAP), height: HEAD + rows * (height + FOOT + GAP) };
  const ink = { fill: color("--ink"), "font-family": "system-ui, sans-serif" };
  const root = svg("svg", { viewBox: `0 0 ${size.width} ${size.height}`, ...size });
  root.append(svg("title", {}, title), svg("rect", { width: "100%", height: "100%", fill: color("--paper") }), svg("text", { x: GAP, y: 26, "font-size": 15, ...ink }, title));
  frames.forEach(({ light, word, numbers }, k) => {
    const [x, y] = [GAP + (k % across) * (width + GAP), HEAD + Math.floor(k / across) * (height + FOOT + GAP)];
    root.append(
      svg("image", { href: image(picture, light, width), x, y, width, height }),
      svg("text", { x, y: y + height + 18, "font-size": 15, "font-weight": 600, ...ink }, word),
      svg("text", { x, y: y + height + 35, "font-size": 11, ...ink, fill: color("--ink-2") }, numbers),
    );
  });
  return new XMLSerializer().serializeToString(root);
}

function ofSteps(run, view, steps, width) {
  const frames = steps.map((step) => {
    const [word, numbers] = under(run, view, step);
    return { light: view.lightOf(step), word, numbers };
  });
  return sheet(`${run.about.title ?? run.about.id}: ${run.text || run.sourceText}`, run.picture, frames, width);
}

/** The film strip: all words together, then each. */
export function filmDrawing(run, view) {
  return ofSteps(run, view, [...(run.attends ? [View.ALL] : []), ...run.target.keys()], FRAME);
}

/** The picture on the stage. */
export function stageDrawing(run, view) {
  return ofSteps(run, view, [view.step], LARGE);
}

/** One row a word and cell. */
export function attentionRows({ target, source, columns }) {
  return [
    ["step", "token", "row", "column", "cell", "attention", "energy", "looked"],
    ...target.flatMap((token, step) =>
      source.map(({ label }, k) => [
        step, token.token, Math.floor(k / columns), k % columns, label,
        token.attention?.[k] ?? "", token.points["attention.energy"]?.[k] ?? "", token.looked === null ? "" : Number(token.looked === k),
      ]),
    ),
  ];
}

/** The sums over all words. */
export function coverageFigure(run, sums) {
  const { rows, columns } = run.grid;
  const z = Array.from({ length: rows }, (_, row) => Array.from(sums.subarray(row * columns, (row + 1) * columns)));
  const title = `${escaped(run.about.title ?? run.about.id)}: ${t("all words together")}<br><sub>${inQuotes(escaped(run.sourceText))} → ${inQuotes(escaped(run.text))}</sub>`;
  const letters = Array.from({ length: columns }, (_, k) => run.source[k].label.replace(/\d+$/, ""));
  return {
    data: [{ type: "heatmap", z, zmin: 0, zmax: Math.max(...sums), xgap: 1, ygap: 1, colorscale: scaleOf(attentionRamp()), colorbar: { thickness: 12, outlinewidth: 0, title: { text: "Σ α" } } }],
    layout: {
      ...paper(title, 640, Math.round(140 + (480 * run.picture.height) / run.picture.width)),
      xaxis: { tickvals: letters.map((_, k) => k), ticktext: letters, side: "bottom", showgrid: false, zeroline: false },
      yaxis: { autorange: "reversed", tickvals: z.map((_, k) => k), ticktext: z.map((_, k) => String(k + 1)), showgrid: false, zeroline: false },
    },
  };
}

export function coverageRows({ source, columns }, sums) {
  return [["row", "column", "cell", "sum_of_attention"], ...source.map(({ label }, k) => [Math.floor(k / columns), k % columns, label, sums[k]])];
}

/** The words with their numbers, one row each. */
export function wordRows(rows, { target }) {
  const [head, ...rest] = rows;
  return [[...head, "gate"], ...rest.map((row, k) => [...row, target[k].points.gate?.[0] ?? ""])];
}
