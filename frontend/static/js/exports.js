/** Figures to keep: a Plotly figure built on demand from the real values, as PNG or SVG, and CSV. */

import { color, rampOf } from "./color.js";
import { loadPlotly } from "./plotly.js";
import { inQuotes, make, mark, nameOf, pageData, short, surprise, t } from "./words.js";

const MOST_TICKS = 140;

/**
 * Buttons for every place of the page that asks for them by `data-save="<what>"`.
 * @param {(what: string, kind: "png"|"svg"|"csv") => void} save
 */
export function saveButtons(save) {
  for (const host of document.querySelectorAll("[data-save]")) {
    for (const kind of ["png", "svg", "csv"]) {
      const name = kind.toUpperCase();
      const button = make("button", { class: "plain", type: "button", title: t("save as {kind}", { kind: name }) }, name);
      button.addEventListener("click", () => save(host.dataset.save, kind));
      host.append(button);
    }
  }
}

/**
 * Save a figure in one of the three forms.
 * @param {() => {data, layout}} figure @param {() => any[][]} rows
 * @param {(words: string) => void} tell  where the picture could not be made
 */
export async function save(kind, figure, rows, file, tell) {
  if (kind === "csv") return saveCsv(rows(), file);
  try {
    await saveFigure(await loadPlotly(pageData.plotly_url), figure(), kind, file);
  } catch {
    tell(t("The picture could not be made: the drawing library did not load."));
  }
}

/** Save a figure. @param {any} Plotly @param {{data, layout}} figure @param {"png"|"svg"} format */
export async function saveFigure(Plotly, figure, format, name) {
  const holder = document.createElement("div");
  await Plotly.newPlot(holder, figure.data, figure.layout, { staticPlot: true });
  try {
    const { width, height } = figure.layout;
    const url = await Plotly.toImage(holder, { format, width, height, scale: format === "png" ? 2 : 1 });
    download(url, `${name}.${format}`);
  } finally {
    Plotly.purge(holder);
  }
}

/**
 * Save a drawing.
 * @param {string} svg  a whole SVG file with its width and height @param {"png"|"svg"} format
 */
export async function saveDrawing(svg, format, name) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    if (format === "svg") return download(url, `${name}.svg`);
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * picture.naturalWidth;
    canvas.height = 2 * picture.naturalHeight;
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    download(canvas.toDataURL("image/png"), `${name}.png`);
  } finally {
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}

/** Save rows as CSV (RFC 4180, UTF-8). */
export function saveCsv(rows, name) {
  const text = rows.map((row) => row.map(cell).join(",")).join("\r\n");
  const url = URL.createObjectURL(new Blob([text, "\r\n"], { type: "text/csv" }));
  download(url, `${name}.csv`);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function cell(value) {
  if (typeof value === "number") return Number.isNaN(value) ? "NaN" : String(value);
  const text = String(value ?? "");
  return /[",\r\n\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** What a saved figure is called: checkpoint, quantity, and the text it is over. */
export function titleOf(checkpoint, what, store) {
  const start = store.text(0, 40).replace(/\n/g, " ↵ ");
  const dots = store.length > 40 ? "…" : "";
  const text = escaped(`${start}${dots}`);
  return `${escaped(checkpoint.title ?? checkpoint.id)}: ${what}<br><sub>${inQuotes(text)} · ${t("steps {from} to {to}", { from: 0, to: store.length - 1 })}</sub>`;
}

/** A text as Plotly takes it. */
export function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** What all saved figures share. */
export function paper(title, width, height) {
  return {
    width,
    height,
    title: { text: title, font: { size: 15 }, x: 0.01, xanchor: "left" },
    margin: { l: 64, r: 24, t: 72, b: 48 },
    paper_bgcolor: color("--paper"),
    plot_bgcolor: color("--paper"),
    font: { family: "system-ui, sans-serif", size: 12, color: color("--ink") },
  };
}

/** The frame of figures over time. */
function frame(title, store, height, extra = {}) {
  const steps = store.columns.map((_, k) => k);
  const every = Math.ceil(store.length / MOST_TICKS);
  const ticks = steps.filter((k) => k % every === 0);
  return {
    ...paper(title, Math.max(720, Math.min(2400, 160 + store.length * 14)), height),
    xaxis: {
      tickvals: ticks,
      ticktext: ticks.map((k) => (every === 1 ? escaped(mark(store.columns[k].token)) : String(k))),
      tickangle: 0,
      tickfont: { family: "monospace", size: 11 },
      showgrid: false,
      zeroline: false,
      title: { text: every === 1 ? t("character") : t("step") },
    },
    ...extra,
  };
}

/** Colour scale of a ramp, as Plotly writes it. */
export function scaleOf(ramp) {
  return Array.from({ length: 33 }, (_, k) => [k / 32, ramp.css[Math.round((k * 255) / 32)].replace(/rgb\((\d+) (\d+) (\d+)\)/, "rgb($1,$2,$3)")]);
}

/** A heat map with its real values. */
export function mapFigure(checkpoint, store, point, order) {
  const units = order ?? Array.from({ length: point.units }, (_, k) => k);
  const [zmin, zmax] = point.limits;
  const what = `${nameOf(point.letter)} ${point.letter} (${point.name}), ${short(zmin)} … ${short(zmax)}`;
  const z = units.map((unit) => store.columns.map((_, k) => point.at(k, unit)));
  const colorbar = { title: { text: point.letter }, thickness: 12, outlinewidth: 0 };
  return {
    data: [{ type: "heatmap", z, zmin, zmax, colorscale: scaleOf(rampOf(point.range, point.letter)), colorbar }],
    layout: frame(titleOf(checkpoint, what, store), store, 560, {
      yaxis: { autorange: "reversed", title: { text: order ? t("unit, reordered") : t("unit") }, zeroline: false },
    }),
  };
}

export function mapRows(store, point, order) {
  const units = order ?? Array.from({ length: point.units }, (_, k) => k);
  return [
    ["step", "token", ...units.map((unit) => `${point.name}[${unit}]`)],
    ...store.columns.map((column, k) => [k, column.token, ...units.map((unit) => point.at(k, unit))]),
  ];
}

/** The unrolled graph's numbers: the hidden state of every layer, and how likely each character was. */
export function graphFigure(checkpoint, store, layers) {
  const share = 0.78 / layers.length;
  const layout = frame(titleOf(checkpoint, t("the network unrolled in time"), store), store, 220 + 150 * layers.length);
  const data = layers.map((layer, k) => {
    const point = layer.points.h;
    const axis = k ? `y${k + 1}` : "y";
    const top = 1 - k * share;
    layout[k ? `yaxis${k + 1}` : "yaxis"] = {
      domain: [top - share + 0.03, top],
      autorange: "reversed",
      title: { text: `h ${layer.number}` },
    };
    const z = Array.from({ length: point.units }, (_, unit) => store.columns.map((_, c) => point.at(c, unit)));
    const [zmin, zmax] = point.limits;
    return { type: "heatmap", z, zmin, zmax, yaxis: axis, colorscale: scaleOf(rampOf(point.range, "h")), showscale: k === 0, colorbar: { thickness: 12, title: { text: "h" } } };
  });
  const last = layers.length + 1;
  layout[`yaxis${last}`] = { domain: [0, 0.17], range: [0, 1], title: { text: "p" } };
  data.push({
    type: "bar",
    yaxis: `y${last}`,
    x: store.columns.map((_, k) => k),
    y: store.columns.map((column) => column.probability),
    marker: { color: color("--q-y") },
    showlegend: false,
  });
  layout.xaxis.anchor = `y${last}`;
  return { data, layout };
}

/** The text, one row a token. */
export function textRows(store) {
  const rank = [1, 2, 3, 4, 5];
  return [
    ["step", "token", "given", "probability", "surprise_nats", ...rank.flatMap((n) => [`top${n}`, `top${n}_probability`])],
    ...store.columns.map((column, k) => [
      k,
      column.token,
      column.prefix ? 1 : 0,
      column.probability ?? "",
      column.probability === null ? "" : surprise(column.probability),
      ...rank.flatMap((n) => [column.top[n - 1]?.token ?? "", column.top[n - 1]?.probability ?? ""]),
    ]),
  ];
}

/** Surprise at every character, for one or two networks. @param {{checkpoint, store}[]} runs */
export function surpriseFigure(runs) {
  const [first] = runs;
  const names = runs.map(({ checkpoint }) => checkpoint.title ?? checkpoint.id).join(" / ");
  return {
    data: runs.map(({ checkpoint, store }, k) => ({
      type: "scatter",
      mode: "lines+markers",
      name: checkpoint.title ?? checkpoint.id,
      x: store.columns.map((_, c) => c),
      y: store.columns.map((column) => (column.probability === null ? null : surprise(column.probability))),
      line: { color: color(k ? "--q-x" : "--q-y"), dash: k ? "dot" : "solid" },
    })),
    layout: frame(titleOf({ title: names }, t("surprise at each character"), first.store), first.store, 360, {
      yaxis: { title: { text: t("nats") }, rangemode: "tozero" },
    }),
  };
}

/** One unit's lines. */
export function unitFigure(checkpoint, store, layer, unit, traces) {
  const what = t("unit {unit} of layer {layer}", { unit, layer: layer.number });
  return { data: traces, layout: frame(titleOf(checkpoint, what, store), store, 420, { yaxis: { zeroline: true } }) };
}

export function unitRows(store, traces) {
  return [
    ["step", "token", ...traces.map((trace) => trace.name)],
    ...store.columns.map((column, k) => [k, column.token, ...traces.map((trace) => trace.y[k])]),
  ];
}
