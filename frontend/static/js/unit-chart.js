/** One unit's quantities over time as lines, on the page's time axis. Plotly, drawn at rest. */

import { color, hue } from "./color.js";
import { mark, nameOf, t } from "./words.js";

// Told apart by dash as well as by hue.
export const DASHES = { c: "solid", h: "solid", i: "dot", f: "dash", o: "dashdot", g: "longdash", z: "dash", r: "dot", n: "longdash", a: "dot" };
const LETTERS = "chifgorzna";
export const HEIGHT = 200;

/** Traces of one unit. @param {Record<string, any>} points of a layer, by letter */
export function unitTraces(points, unit, length, from = 0) {
  const x = Array.from({ length: length - from }, (_, k) => from + k);
  return [...LETTERS]
    .filter((letter) => points[letter])
    .map((letter) => ({
      type: "scatter",
      mode: "lines",
      name: letter,
      x,
      y: x.map((step) => points[letter].at(step, unit)),
      line: { color: hue(letter), dash: DASHES[letter], width: "ch".includes(letter) ? 2.25 : 1.25 },
      hovertemplate: `<i>${letter}</i> %{y:.3g}<extra>${nameOf(letter)}</extra>`,
    }));
}

export class UnitChart {
  constructor(host, { store, axis }) {
    Object.assign(this, { host, store, axis });
    this.key = "";
  }

  /** Draw if anything has changed since the last time. */
  draw(Plotly, layer, unit) {
    const { axis, store, host } = this;
    if (unit < 0 || !store.length) return;
    const key = [layer.number, layer.reverse, unit, store.length, store.cuts, axis.offset, axis.columnWidth, axis.width, color("--paper")].join();
    if (key === this.key) return;
    this.key = key;
    const [from, to] = axis.window;
    const scale = parseFloat(color("--scale")) || 1;
    const gutter = host.clientWidth - axis.width;
    const every = [1, 2, 5, 10, 20, 50, 100].find((n) => n * axis.columnWidth >= 13 * scale) ?? 200;
    const ticks = [];
    for (let step = Math.ceil(from / every) * every; step < to; step += every) ticks.push(step);
    // Only what can be seen, and a column either side, so that a long text costs no more.
    const traces = unitTraces(layer.points, unit, Math.min(store.length, to + 1), Math.max(0, from - 1));
    Plotly.react(
      host,
      traces,
      {
        width: host.clientWidth,
        height: HEIGHT * scale,
        margin: { l: gutter, r: 0, t: 8, b: 24 * scale },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: color("--mono").replaceAll('"', ""), size: 11 * scale, color: color("--ink-2") },
        showlegend: false,
        hovermode: "x",
        hoverlabel: { bgcolor: color("--paper"), bordercolor: color("--rule-2"), font: { size: 12 * scale } },
        xaxis: {
          range: [axis.offset - 0.5, axis.offset + axis.visible - 0.5],
          tickvals: ticks,
          ticktext: ticks.map((step) => mark(store.columns[step].token)),
          tickangle: 0,
          showgrid: false,
          zeroline: false,
          fixedrange: true,
        },
        yaxis: { zeroline: true, zerolinecolor: color("--rule-2"), gridcolor: color("--rule"), fixedrange: true, nticks: 5 },
      },
      { displayModeBar: false, responsive: false },
    );
  }

  get label() {
    return t("lines of one unit");
  }
}
