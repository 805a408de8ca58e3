/** A series of months, and what the network says of each from the months before it. */

import { color } from "../../color.js";
import { make, short, t } from "../../words.js";
import { Plot } from "./plot.js";

const [LOWEST, HIGHEST] = [-100, 700]; // thousands of passengers; what is beyond lies at the edge
const YEAR = 12; // months
const TEST = [5, 3]; // dash of predictions in the test part
const NAIVE = [1.5, 2.5];
const FIGURES = ["train_rmse", "test_rmse", "naive_rmse", "seasonal_rmse"];

export class SeriesPanel {
  constructor(host) {
    this.plot = new Plot("");
    this.figures = make("dl", { class: "training-figures" });
    const styles = [["true", "solid"], ["fitted", "solid"], ["forecast", "dashed"], ["naive", "dotted"]];
    const legend = make("ul", { class: "training-legend" }, ...styles.map(([name, style]) => make("li", {}, make("i", { class: `${name} ${style}` }), t(`line ${name}`))));
    host.append(make("h3", {}, t("training passengers")), this.plot.canvas, legend, this.figures);
  }

  /** @param {import("./run.js").Run} run @param {number} at */
  draw(run, at) {
    const { fixed, frames } = run;
    if (!fixed || !frames[at]) return;
    const { plot } = this;
    const frame = frames[at];
    const series = fixed.arrays.series.values;
    const { first_year: year, train_stop: train, test_start: test } = fixed.figures;
    const years = Array.from({ length: Math.floor(series.length / YEAR) + 1 }, (_, k) => k * YEAR);
    plot.canvas.setAttribute("aria-label", t("forecasts after {epoch} epochs: error {train} on the training part, {test} on the test part, thousand passengers", { epoch: frame.epoch, train: short(frame.figures.train_rmse), test: short(frame.figures.test_rmse) }));
    plot.begin({
      x: [0, series.length], y: [LOWEST, HIGHEST], xTicks: years.filter((_, k) => k % (plot.canvas.clientWidth > 520 ? 2 : 4) === 0), yTicks: [0, 200, 400, 600],
      xText: (month) => String(year + month / YEAR), xName: t("training years"), yName: t("thousand passengers"),
    });
    this.parts([[0, train, "training part"], [train, test, "validation part"], [test, series.length, "test part"]]);
    const line = (from, to, value) => Array.from({ length: Math.max(0, to - from) }, (_, k) => [from + k, value(from + k)]);
    plot.line(line(0, series.length, (k) => series[k]), { ink: color("--q-x"), width: 1.5 });
    plot.line(line(test, series.length, (k) => series[k - 1]), { ink: color("--ink-2"), width: 1.25, dash: NAIVE });
    this.predictions(run, frame, plot, train);
    this.tell(fixed, frame);
  }

  /** Solid up to the end of what it was trained on, dashed after it. */
  predictions({ fixed }, { arrays }, plot, train, width = 2) {
    const first = fixed.figures.first_forecast;
    const points = Array.from(arrays.predictions.values, (value, k) => [first + k, inside(value)]);
    plot.line(points.slice(0, train - first), { ink: color("--q-y"), width });
    plot.line(points.slice(train - first - 1), { ink: color("--q-y"), width, dash: TEST });
  }

  /** Where the parts of the series begin and end. */
  parts(parts) {
    const { plot } = this;
    for (const [from, to, name] of parts) {
      if (from) plot.stroke([[plot.x(from), plot.top], [plot.x(from), plot.bottom]], { ink: color("--rule-2") });
      const room = plot.x(to) - plot.x(from) - 6;
      const words = [t(name), t(`short ${name}`)].find((text) => plot.context.measureText(text).width < room);
      if (words) plot.text(words, plot.x(from) + 4 * plot.scale, plot.top + 6 * plot.scale, "left", color("--ink-3"));
    }
  }

  tell(fixed, frame) {
    const rows = FIGURES.map((name) => [t(`figure ${name}`), short(frame.figures[name] ?? fixed.figures[name])]);
    this.figures.replaceChildren(...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { class: "num" }, value))));
  }

  /** The same in small, for the film strip. */
  thumbnail(context, run, frame, left, top, width, height) {
    const series = run.fixed.arrays.series.values;
    const x = (k) => left + (k / series.length) * width;
    const y = (value) => top + height - ((inside(value) - LOWEST) / (HIGHEST - LOWEST)) * height;
    const trace = (from, values, ink) => {
      context.beginPath();
      values.forEach((value, k) => (k ? context.lineTo(x(from + k), y(value)) : context.moveTo(x(from), y(value))));
      context.strokeStyle = ink;
      context.stroke();
    };
    context.lineWidth = 1;
    trace(0, series, color("--rule-2"));
    trace(run.fixed.figures.first_forecast, frame.arrays.predictions.values, color("--q-y"));
  }
}

/** A value, or the edge of the chart that it lies beyond. */
function inside(value) {
  return Math.max(LOWEST, Math.min(HIGHEST, value));
}
