/** How well networks do on short and on long texts, as measured: one line a network. Plotly. */

import { color } from "../color.js";
import { loadPlotly } from "../plotly.js";
import { make, pageData, short, t } from "../words.js";

const HEIGHT = 260;
// What may have been measured by length: its name in `figures`, how a value is read and written.
const MEASURES = [
  { table: "bleu_by_length", field: "bleu", factor: 1, label: "BLEU", unit: "" },
  { table: "exact_by_length", field: "exact", factor: 100, label: "exactly right, %", unit: "%" },
];
const SPLITS = { test: "the test split", validation: "the validation split" };
const LOOKS = [
  { hue: "--q-attention", dash: "solid", symbol: "circle" },
  { hue: "--q-x", dash: "dot", symbol: "square-open" },
];

/** What was measured by length of a checkpoint, or null. */
function measured(about) {
  for (const measure of MEASURES) {
    const rows = about?.figures?.[measure.table];
    if (rows?.length) return { about, ...measure, rows };
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
    new MutationObserver(() => requestAnimationFrame(wake)).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-present"] });
    this.set(checkpoints);
  }

  /** Show other checkpoints: the first, and one beside it that was measured alike. */
  set(checkpoints) {
    const [first, ...others] = checkpoints.map(measured);
    this.series = first ? [first, ...others.filter((one) => one?.table === first.table)].slice(0, LOOKS.length) : [];
    this.key = "";
    this.host.hidden = !this.series.length;
    this.describe();
    this.draw();
  }

  /** Is there anything to show? */
  get any() {
    return this.series.length > 0;
  }

  /** What was measured on what, what to look for, and the numbers as a table. */
  describe() {
    if (!this.any) return;
    const [first, second] = this.series;
    const split = t(SPLITS[first.about.figures.split] ?? SPLITS.test);
    const sentences = first.rows.reduce((sum, { sentences }) => sum + sentences, 0);
    const parts = [t("Measured on {split}, {n} texts, with the length of what is read in tokens.", { split, n: sentences })];
    const fall = ({ about, rows, field, factor }) => ({ title: about.title ?? about.id, from: short(factor * rows[0][field]), to: short(factor * rows.at(-1)[field]) });
    for (const one of this.series) parts.push(t("{title}: {from} on the shortest, {to} on the longest.", fall(one)));
    const alone = ({ about }) => about.config?.attention === "none";
    if (second && alone(first) !== alone(second)) parts.push(t("Watch whether the lines part to the right: without attention one vector of fixed size has to hold a text of any length."));
    this.words.textContent = parts.join(" ");
    const ranges = first.rows.map(range);
    const cell = (tag, text) => make(tag, {}, text);
    const line = (one) => make("tr", {}, make("th", { scope: "row" }, one.about.title ?? one.about.id), ...one.rows.map((row) => cell("td", `${short(one.factor * row[one.field])}${one.unit}`)));
    const head = make("tr", {}, cell("th", first.label), ...ranges.map((text) => make("th", { scope: "col" }, text)));
    this.table.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...this.series.map(line))));
    this.legend.replaceChildren(
      ...this.series.map(({ about }, k) => {
        const key = make("i", { class: `line-key ${LOOKS[k].dash}` });
        key.style.color = `var(${LOOKS[k].hue})`;
        return make("li", {}, key, about.title ?? about.id);
      }),
    );
  }

  /** The chart for Plotly, also as it is saved. @returns {{data: object[], layout: object}} */
  figure(width = 720, scale = 1) {
    const [first] = this.series;
    const data = this.series.map(({ about, rows, field, factor, unit }, k) => ({
      type: "scatter",
      mode: "lines+markers",
      name: about.title ?? about.id,
      x: rows.map(range),
      y: rows.map((row) => factor * row[field]),
      customdata: rows.map(({ sentences }) => sentences),
      line: { color: color(LOOKS[k].hue), dash: LOOKS[k].dash, width: 2.25 * scale },
      marker: { symbol: LOOKS[k].symbol, size: 8 * scale },
      hovertemplate: `%{y:.1f}${unit}, ${t("{n} texts", { n: "%{customdata}" })}<extra>%{fullData.name}</extra>`,
    }));
    const axis = { gridcolor: color("--rule"), zerolinecolor: color("--rule-2"), fixedrange: true };
    const layout = {
      width,
      height: HEIGHT * scale,
      margin: { l: 56 * scale, r: 16 * scale, t: 12 * scale, b: 48 * scale },
      paper_bgcolor: color("--paper"),
      plot_bgcolor: color("--paper"),
      font: { family: "system-ui, sans-serif", size: 12 * scale, color: color("--ink-2") },
      showlegend: false,
      hovermode: "x",
      hoverlabel: { bgcolor: color("--paper"), bordercolor: color("--rule-2"), font: { size: 12 * scale, color: color("--ink") } },
      xaxis: { ...axis, type: "category", showgrid: false, title: { text: t("tokens read") } },
      yaxis: { ...axis, rangemode: "tozero", title: { text: t(first.label) }, nticks: 6 },
    };
    return { data, layout: width === 720 ? { ...layout, showlegend: true, legend: { orientation: "h", y: 1.2 }, margin: { ...layout.margin, t: 48 } } : layout };
  }

  /** Rows for a CSV: one per network and range of lengths. */
  rows() {
    return [
      ["network", "measure", "from_tokens", "to_tokens", "texts", "value"],
      ...this.series.flatMap(({ about, field, rows }) => rows.map((row) => [about.id, field, row.from, row.to ?? "", row.sentences, row[field]])),
    ];
  }

  /** Draw where anything has changed. */
  async draw() {
    const width = this.host.clientWidth;
    if (!this.any || !width) return;
    const scale = parseFloat(color("--scale")) || 1;
    const key = [width, scale, color("--paper"), this.series.map(({ about }) => about.id)].join();
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
