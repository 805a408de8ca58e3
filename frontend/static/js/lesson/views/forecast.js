/**
 * A forecaster on the 144 months of AirPassengers: what it says of each month, beside forecasts that
 * need no network; a window that can be moved, its states, and how they become a number; and what
 * the network says when it reads its own forecasts.
 *
 * Options: checkpoint; start: the month after the window, "1959-01"; steps: months forecast from
 * there on; show: some of fitted, naive, seasonal, forecast.
 * Values for exercises: window; at; prediction, truth and error of the month after the window;
 * scaled; forecast_rmse: of the fed-back forecast; and of one step ahead, train_rmse,
 * validation_rmse, test_rmse, naive_rmse, seasonal_rmse (the last two on the test part).
 */

import { forecast } from "../../api.js";
import { decode } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { make, pageData, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { LINES, sample, SeriesChart } from "../series-chart.js";
import { fixed, WindowLens } from "../window-lens.js";

const STEPS = [1, 12, 24, 48]; // months ahead that can be chosen
const SEASON = 12;
const USUAL = { start: "1959-01", steps: 24, show: ["fitted", "naive", "forecast"] };

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Forecast(stage, { ...USUAL, ...options }, figure, about);
  await view.read();
  return view;
}

class Forecast {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, steps: Number(options.steps) || USUAL.steps, wanted: String(options.start) });
    this.shown = new Set(LINES.filter((name) => options.show.includes(name)));
    this.config = about.config;
    this.point = `rnn.${this.config.num_layers - 1}.h`;
    this.build(stage);
    this.chart = new SeriesChart(this.place, { onMove: (at) => this.go(at), onHover: (month) => this.tell(month), place: () => this.asked });
    this.lens = new WindowLens(this.map, this.key, this.sums, this.cellTold);
    new ResizeObserver(() => this.width !== this.place.clientWidth && this.draw()).observe(this.place);
    onRestyle(() => this.draw());
  }

  build(stage) {
    const { about } = this;
    this.place = make("div", { class: "series-place" });
    this.told = make("p", { class: "series-told num" });
    this.map = make("div", { class: "lens-place" });
    this.key = make("p", { class: "lens-key num" });
    this.cellTold = make("p", { class: "series-told num quiet" });
    this.sums = make("div", { class: "lens-side" });
    this.errors = make("div", { class: "series-errors" });
    this.problem = make("p", { class: "broken", role: "alert", hidden: true });
    const link = labLink(about);
    stage.replaceChildren(
      make("div", { class: "series-head" }, link, this.mover(), this.ahead()),
      this.legend(), this.problem, this.place, this.told,
      make("div", { class: "series-below" }, make("div", { class: "series-left" }, this.map, this.key, this.cellTold), this.sums, this.errors),
    );
  }

  mover() {
    this.month = make("output", { class: "num" });
    const button = (name, text, step) => {
      const node = make("button", { class: "plain", type: "button", "aria-label": name, title: name }, text);
      node.addEventListener("click", () => this.found && this.go(Math.max(this.config.window, Math.min(this.series.length, this.asked + step))));
      return node;
    };
    return make("span", { class: "series-mover" }, `${t("forecast of")} `, button(t("a month back"), "‹", -1), this.month, button(t("a month on"), "›", 1));
  }

  ahead() {
    const choice = make("select", { class: "plain num" }, ...STEPS.map((n) => make("option", { value: String(n) }, String(n))));
    if (!STEPS.includes(this.steps)) choice.append(make("option", { value: String(this.steps) }, String(this.steps)));
    choice.value = String(this.steps);
    choice.addEventListener("change", () => {
      this.steps = Number(choice.value);
      this.figure.keep({ steps: this.steps });
      this.read();
    });
    return make("label", {}, `${t("months ahead")} `, choice);
  }

  legend() {
    const names = { fitted: t("one step ahead"), naive: t("naive: the month before"), seasonal: t("the month a year before"), forecast: t("fed back into itself") };
    const row = make("div", { class: "series-legend" }, make("span", {}, sample("true"), ` ${t("passengers, thousands")}`));
    for (const name of ["fitted", "forecast", "naive", "seasonal"]) {
      const box = make("input", { type: "checkbox", checked: this.shown.has(name) });
      box.addEventListener("change", () => {
        if (box.checked) this.shown.add(name);
        else this.shown.delete(name);
        this.figure.keep({ show: LINES.filter((one) => this.shown.has(one)) });
        this.draw();
      });
      row.append(make("label", {}, box, " ", sample(name), ` ${names[name]}`));
    }
    return row;
  }

  // -- months -----------------------------------------------------------------------------------

  /** The name of a month of the series, or its number where the series has no months. */
  name(month, length = "long") {
    if (!this.first) return String(month);
    const [year, start] = this.first.split("-").map(Number);
    const date = new Date(Date.UTC(year, start - 1 + month, 1));
    if (length === "tick") return String(date.getUTCFullYear());
    const word = new Intl.DateTimeFormat(pageData.language, { month: length, timeZone: "UTC" }).format(date);
    return length === "short" ? word : `${word} ${date.getUTCFullYear()}`;
  }

  code(month) {
    const [year, start] = this.first.split("-").map(Number);
    return new Date(Date.UTC(year, start - 1 + month, 1)).toISOString().slice(0, 7);
  }

  /** The place of "1959-01" in the series, within what a window allows. */
  placeOf(code) {
    const [year, month] = code.split("-").map(Number);
    const at = (year - 1949) * SEASON + month - 1;
    return Number.isFinite(at) ? Math.max(this.config.window, Math.min(144, at)) : 120;
  }

  go(at) {
    if (at === this.asked) return;
    this.figure.keep({ start: this.code(at) });
    this.read(at);
  }

  // -- the server -------------------------------------------------------------------------------

  /** Ask for what a place of the window gives; while an answer is on its way only the last counts. */
  async read(at = this.at ?? this.placeOf(this.wanted)) {
    this.asked = at;
    if (this.busy) return this.busy;
    this.busy = this.fetch();
    try {
      await this.busy;
    } finally {
      this.busy = null;
    }
  }

  async fetch() {
    for (let done = null; done !== `${this.asked} ${this.steps}`; ) {
      const body = { series: null, at: this.asked, steps: this.steps, points: [this.point] };
      done = `${body.at} ${body.steps}`;
      try {
        this.take(await forecast(this.about.id, body));
        this.problem.hidden = true;
      } catch (error) {
        if (!this.found) throw error;
        this.problem.textContent = inOneLine(error);
        this.problem.hidden = false;
      }
    }
  }

  take(found) {
    Object.assign(this, { found, first: found.first, at: found.at });
    this.series = decode(found.series);
    this.fitted = decode(found.fitted);
    this.output = { ...found.output, state: decode(found.output.state), weight: decode(found.output.weight) };
    this.h = decode(found.points[this.point].data);
    this.length = Math.max(this.series.length, found.at + this.steps);
    const forecasts = decode(found.forecast);
    const before = (months) => Float32Array.from(this.series, (_, k) => (k >= months ? this.series[k - months] : NaN));
    const fed = new Float32Array(this.length).fill(NaN);
    fed.set(forecasts, found.at);
    if (forecasts.length) fed[found.at - 1] = this.series[found.at - 1];
    this.lines = { fitted: this.fitted, naive: before(1), seasonal: before(SEASON), forecast: fed };
    this.draw();
    this.figure.changed();
  }

  // -- the picture ------------------------------------------------------------------------------

  draw() {
    if (!this.found) return;
    const { found, series, output, at } = this;
    this.width = this.place.clientWidth;
    const truth = at < series.length ? series[at] : null;
    const W = found.window;
    const names = { train: [t("part: training"), t("part: training")], validation: [t("part: validation"), t("part: validation, brief")], test: [t("part: test"), t("part: test")] };
    this.chart.draw({
      values: series, at, window: W, length: this.length, prediction: output.value,
      lines: Object.fromEntries(LINES.filter((name) => this.shown.has(name)).map((name) => [name, this.lines[name]])),
      parts: Object.entries(found.parts ?? {}).map(([part, [from, to]]) => ({ name: names[part][0], brief: names[part][1], from, to })),
      highest: found.parts ? { value: output.high, text: t("{value}: the most in training", { value: short(output.high) }) } : null,
      tick: (month) => this.name(month, "tick"),
      spoken: `${this.name(at)}: ${fixed(output.value, 1)}`,
    });
    this.month.textContent = this.name(at);
    const months = Array.from({ length: W }, (_, k) => at - W + k);
    this.lens.draw({
      x: Float32Array.from(months, (month) => (series[month] - output.low) / (output.high - output.low)),
      values: months.map((month) => series[month]), h: this.h, output, truth, target: this.name(at),
      months: months.map((month) => this.name(month)), brief: months.map((month) => this.name(month, "short")),
      edges: this.chart.windowEdges(),
    });
    this.drawErrors();
    this.tell(this.chart.hovered);
  }

  /** What is known of a month, in a line. */
  tell(month) {
    const one = month ?? this.at;
    const said = (name, line) => (line && !Number.isNaN(line[one] ?? NaN) ? [`${name} ${fixed(line[one], line === this.series ? 0 : 1)}`] : []);
    const parts = [
      ...said(t("it was"), one < this.series.length ? this.series : null), ...said(t("one step ahead"), this.fitted),
      ...(one >= this.at && this.shown.has("forecast") ? said(t("fed back"), this.lines.forecast) : []), ...said(t("naive"), this.lines.naive), ...said(t("a year before"), this.lines.seasonal),
    ];
    this.told.textContent = `${this.name(one)}: ${parts.join(" · ")}`;
  }

  // -- numbers ----------------------------------------------------------------------------------

  /** RMSE of a line over months that it has, and a forecast of the network has too. */
  rmse(line, from, to) {
    let sum = 0;
    let count = 0;
    for (let month = Math.max(from, this.config.window); month < Math.min(to, this.series.length); month++) {
      if (Number.isNaN(line[month] ?? NaN)) continue;
      sum += (line[month] - this.series[month]) ** 2;
      count++;
    }
    return count ? Math.sqrt(sum / count) : NaN;
  }

  drawErrors() {
    const { parts } = this.found;
    if (!parts) return;
    const row = (name, line) => make("tr", {}, make("th", { scope: "row" }, name), ...Object.values(parts).map(([from, to]) => make("td", {}, fixed(this.rmse(line, from, to), 1))));
    const head = [t("part: training"), t("part: validation"), t("part: test")].map((name) => make("th", { scope: "col" }, name));
    const table = make(
      "table", { class: "num" }, make("caption", {}, t("root mean squared error, thousands")),
      make("thead", {}, make("tr", {}, make("td", {}), ...head)),
      make("tbody", {}, row(t("one step ahead"), this.fitted), row(t("naive"), this.lines.naive), row(t("a year before"), this.lines.seasonal)),
    );
    const fed = this.rmse(this.lines.forecast, this.at, this.at + this.steps);
    const months = Math.min(this.steps, this.series.length - this.at);
    this.errors.replaceChildren(table, months > 1 && this.shown.has("forecast") ? make("p", { class: "quiet" }, t("fed back from {month}, {months} months: {error}", { month: this.name(this.at), months, error: fixed(fed, 1) })) : "");
  }

  values() {
    if (!this.found) return {};
    const { output, at, series } = this;
    const of = (part, line = this.fitted) => (this.found.parts ? this.rmse(line, ...this.found.parts[part]) : NaN);
    const truth = at < series.length ? series[at] : NaN;
    return {
      window: this.found.window, at, prediction: output.value, scaled: output.prediction, truth, error: output.value - truth,
      forecast_rmse: this.rmse(this.lines.forecast, at, at + this.steps),
      train_rmse: of("train"), validation_rmse: of("validation"), test_rmse: of("test"),
      naive_rmse: of("test", this.lines.naive), seasonal_rmse: of("test", this.lines.seasonal),
    };
  }
}
