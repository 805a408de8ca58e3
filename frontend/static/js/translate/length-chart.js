/** How well networks do on short and on long texts, as measured: one line a network. Plotly. */

import { color, onRestyle } from "../color.js";
import { escaped, paper } from "../exports.js";
import { loadPlotly } from "../plotly.js";
import { make, pageData, short, t } from "../words.js";

const HEIGHT = 260;
// What may have been measured by length: its name in `figures`, how a value is read and written.
const MEASURES = [
  { table: "bleu_by_length", field: "bleu", factor: 1, label: "BLEU", sign: "", least: 0, most: null },
  { table: "exact_by_length", field: "exact", factor: 100, label: "exactly right, %", sign: "%", least: 80, most: 100 },
];
const TESTS = { test_2016_flickr: "the Multi30k test set of 2016 (Flickr)" };
const LOOKS = {
  attention: { hue: "--q-attention", dash: "solid", symbol: "circle" },
  other: { hue: "--q-x", dash: "dot", symbol: "square-open" },
};

/** Is it the network that has one vector instead of attention? */
const alone = ({ about }) => about.config?.attention === "none";

/** What was measured by length of a checkpoint, or null. */
function measured(about) {
  for (const measure of MEASURES) {
    const rows = about?.figures?.[measure.table];
    if (rows?.length) return { about, ...measure, rows, unit: about.figures.length_unit === "characters" ? "characters" : "words" };
  }
  return null;
}

function range({ from, to }) {
  return from === to ? String(from) : to === null || to === undefined ? `${from}+` : `${from}–${to}`;
}

export class LengthChart {
  /** @param {HTMLElement} host @param {{checkpoints: object[]}} options  as GET /api/checkpoints/{id} answers */
  constructor(host, { checkpoints }) {
    this.host = host;
    this.plot = make("div", { class: "lc-plot", "aria-hidden": "true" });
    this.legend = make("ul", { class: "lc-legend" });
    this.words = make("p", { class: "note lc-words" });
    this.table = make("div", { class: "out-of-sight" });
    host.classList.add("length-chart");
    host.append(this.legend, this.plot, this.words, this.table);
    const wake = () => this.draw();
    new ResizeObserver(wake).observe(host);
    onRestyle(wake);
    this.set(checkpoints);
  }

  /** Show other checkpoints: the first, and one beside it that was measured alike. */
  set(checkpoints) {
    const [first, ...others] = checkpoints.map(measured);
    const alike = (one) => one?.table === first.table && one.unit === first.unit;
    this.series = first ? [first, ...others.filter(alike)].slice(0, 2) : [];
    // Attention has its colour on every page; of two networks that are alike the first is solid.
    const [one, two] = this.series;
    const swapped = one && alone(one) && !(two && alone(two));
    const looks = swapped ? [LOOKS.other, LOOKS.attention] : [LOOKS.attention, LOOKS.other];
    this.series.forEach((series, k) => (series.look = looks[k]));
    this.key = "";
    this.host.hidden = !this.series.length;
    this.describe();
    this.draw();
  }

  /** Mark the range that a text of this length belongs to. @param {number} length */
  mark(length) {
    if (this.marked === length) return;
    this.marked = length;
    this.draw();
  }

  /** Is there anything to show? */
  get any() {
    return this.series.length > 0;
  }

  /** What was measured on what. @returns {string[]} sentences */
  tested() {
    const [{ about, rows, field, unit }] = this.series;
    const { bleu_test: test, exact_test: forms, exact } = about.figures;
    const n = rows.reduce((sum, { sentences }) => sum + sentences, 0);
    const length = t(`length in ${unit}`);
    if (field === "bleu") return [test ? t("BLEU on {test}: {n} sentences that were not trained on, by {length}.", { test: t(TESTS[test] ?? test), n, length }) : t("BLEU on {n} sentences that were not trained on, by {length}.", { n, length })];
    const parts = [t("Share that is exactly right of {n} texts that were not trained on, by {length}.", { n, length })];
    if (forms === "test_forms") parts.push(t("They are days that no training text held, written in forms that training texts had; in forms that none had it is {share}.", { share: `${short(100 * exact)}%` }));
    return parts;
  }

  /** What was measured on what, what to look for, and the numbers as a table. */
  describe() {
    if (!this.any) return;
    const [first, second] = this.series;
    const parts = this.tested();
    const fall = ({ about, rows, field, factor, sign }) => ({ title: about.title ?? about.id, from: short(factor * rows[0][field]) + sign, to: short(factor * rows.at(-1)[field]) + sign });
    for (const one of this.series) parts.push(t("{title}: {from} on the shortest, {to} on the longest.", fall(one)));
    if (second && alone(first) !== alone(second)) parts.push(t("Watch whether the lines part to the right: without attention one vector of fixed size has to hold a text of any length."));
    this.words.textContent = parts.join(" ");
    const ranges = first.rows.map(range);
    const cell = (tag, text) => make(tag, {}, text);
    const line = (one) => make("tr", {}, make("th", { scope: "row" }, one.about.title ?? one.about.id), ...one.rows.map((row) => cell("td", `${short(one.factor * row[one.field])}${one.sign}`)));
    const head = make("tr", {}, cell("th", `${t(first.label)}, ${t(`${first.unit} read`)}`), ...ranges.map((text) => make("th", { scope: "col" }, text)));
    this.table.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...this.series.map(line))));
    this.legend.replaceChildren(
      ...this.series.map(({ about, look }) => {
        const key = make("i", { class: `line-key ${look.dash}` });
        key.style.color = `var(${look.hue})`;
        return make("li", {}, key, about.title ?? about.id);
      }),
    );
  }

  /** The chart for Plotly. @returns {{data: object[], layout: object}} */
  figure(width, scale) {
    const [first] = this.series;
    const data = this.series.map(({ about, rows, field, factor, sign, look }) => ({
      type: "scatter",
      mode: "lines+markers",
      name: about.title ?? about.id,
      x: rows.map(range),
      y: rows.map((row) => factor * row[field]),
      customdata: rows.map(({ sentences }) => sentences),
      line: { color: color(look.hue), dash: look.dash, width: 2.25 * scale },
      marker: { symbol: look.symbol, size: 8 * scale },
      hovertemplate: `%{y:.1f}${sign}, ${t("{n} texts", { n: "%{customdata}" })}<extra>%{fullData.name}</extra>`,
    }));
    const axis = { gridcolor: color("--rule"), zerolinecolor: color("--rule-2"), fixedrange: true };
    // Shares near 100% would all lie on one line over an axis from 0.
    const near = first.least && data.every(({ y }) => Math.min(...y) > first.least + 5);
    const rows = first.rows;
    const within = this.marked === undefined ? -1 : rows.findIndex(({ to }) => to === null || to === undefined || this.marked <= to);
    const band = { type: "rect", xref: "x", yref: "paper", x0: within - 0.5, x1: within + 0.5, y0: 0, y1: 1, line: { width: 0 }, fillcolor: color("--accent-wash"), layer: "below" };
    const layout = {
      shapes: within < 0 ? [] : [band],
      width,
      height: HEIGHT * scale,
      margin: { l: 56 * scale, r: 16 * scale, t: 12 * scale, b: 48 * scale },
      paper_bgcolor: color("--paper"),
      plot_bgcolor: color("--paper"),
      font: { family: "system-ui, sans-serif", size: 12 * scale, color: color("--ink-2") },
      showlegend: false,
      hovermode: "x",
      hoverlabel: { bgcolor: color("--paper"), bordercolor: color("--rule-2"), font: { size: 12 * scale, color: color("--ink") } },
      xaxis: { ...axis, type: "category", showgrid: false, title: { text: t(`${first.unit} read`) } },
      yaxis: { ...axis, ...(near ? { range: [first.least, first.most + 1] } : { rangemode: "tozero" }), title: { text: t(first.label) }, nticks: 6 },
    };
    return { data, layout };
  }

  /** The chart as it is saved: it says what was measured. */
  saved() {
    const [width, height] = [760, 420];
    const { data, layout } = this.figure(width, 1);
    const { label, unit } = this.series[0];
    const title = `${t(label)}, ${t("by {length}", { length: t(`length in ${unit}`) })}<br><sub>${escaped(this.tested()[0])}</sub>`;
    const own = paper(title, width, height);
    return { data, layout: { ...layout, ...own, margin: { l: 64, r: 24, t: 84, b: 96 }, showlegend: true, legend: { orientation: "h", y: -0.28, x: 0 } } };
  }

  /** Rows for a CSV: one per network and range of lengths. */
  rows() {
    const { unit } = this.series[0];
    return [
      ["network", "measure", `from_${unit}`, `to_${unit}`, "texts", "value"],
      ...this.series.flatMap(({ about, field, rows }) => rows.map((row) => [about.id, field, row.from, row.to ?? "", row.sentences, row[field]])),
    ];
  }

  /** Draw where anything has changed. */
  async draw() {
    const width = this.host.clientWidth;
    if (!this.any || !width) return;
    const scale = parseFloat(color("--scale")) || 1;
    const key = [width, scale, color("--paper"), this.series.map(({ about }) => about.id), this.marked].join();
    if (key === this.key) return;
    this.key = key;
    try {
      const Plotly = await loadPlotly(pageData.plotly_url);
      if (key !== this.key) return;
      const { data, layout } = this.figure(width, scale);
      await Plotly.react(this.plot, data, layout, { displayModeBar: false, responsive: false });
    } catch {
      this.key = "";
      this.table.classList.remove("out-of-sight"); // the numbers, where the drawing library is not to be had
    }
  }
}
