/**
 * The gradient of a choice that is drawn: exact, and estimated by draws, with a baseline and without.
 * An illustration with the numbers of its options; no network is asked.
 *
 * Options: weights: of the cells, sum 1; chances: the probability of the right word when a cell is
 * looked at; baseline, in nats; draws; seed.
 * Values for exercises: draws; baseline; noise and noise_without: how far one draw lies from the exact
 * gradient; distance and distance_without: of the mean of the draws, NaN before the first.
 */

import { onRestyle } from "../../color.js";
import { at, svg } from "../../decoder/svg.js";
import { make, short, t } from "../../words.js";
import { Choice } from "../choice-estimate.js";

const USUAL = { weights: [0.4, 0.3, 0.15, 0.1, 0.05], chances: [0.6, 0.1, 0.2, 0.05, 0.05], baseline: -0.5, draws: 20, seed: 7 };
const MOST = 5000; // draws
const LEFT = 140; // units beside the marks, for a cell's numbers
const ROW = 46;
const NAMES = "ABCDEFGHIJ";

/** A number of a scale, as short as it is. */
const plain = (value) => String(Number(value.toPrecision(2))).replace("-", "−");

export async function mount(stage, options, figure) {
  return new ChoiceGradient(stage, { ...USUAL, ...options }, figure);
}

class ChoiceGradient {
  constructor(stage, options, figure) {
    Object.assign(this, { figure, baseline: options.baseline });
    this.choice = new Choice(options.weights, options.chances, options.seed);
    this.choice.draw(Math.min(MOST, options.draws));
    this.host = make("div", { class: "choice-drawings" });
    this.told = make("p", { class: "choice-told", role: "status" });
    const legend = make("ul", { class: "choice-legend" }, ...[["exact", "exact"], ["without", "estimate without a baseline"], ["by", "estimate with the baseline"]].map(([kind, words]) => make("li", {}, make("i", { class: kind }), t(words))));
    stage.replaceChildren(this.controls(), legend, this.host, this.told);
    new ResizeObserver(() => this.draw()).observe(this.host);
    onRestyle(() => this.draw());
  }

  controls() {
    const row = make("div", { class: "choice-controls" });
    this.field = make("input", { type: "range", min: "-4", max: "0", step: "0.05", value: String(this.baseline), "aria-label": t("baseline b, nats") });
    this.out = make("output", { class: "num" });
    this.field.addEventListener("input", () => this.set({ baseline: Number(this.field.value) }));
    row.append(make("label", { class: "choice-slider" }, make("span", {}, t("baseline b, nats")), this.field, this.out));
    for (const count of [1, 10, 100, 1000]) {
      const button = make("button", { class: "button", type: "button" }, t("draw {n}", { n: count }));
      button.addEventListener("click", () => {
        this.choice.draw(Math.min(count, MOST - this.choice.drawn.length));
        this.set({ draws: this.choice.drawn.length });
      });
      row.append(button);
    }
    const again = make("button", { class: "plain", type: "button" }, t("from the beginning"));
    again.addEventListener("click", () => {
      this.choice.again();
      this.set({ draws: 0 });
    });
    row.append(again);
    return row;
  }

  set(change) {
    if (change.baseline !== undefined) this.baseline = change.baseline;
    this.figure.keep(change);
    this.draw();
  }

  draw() {
    const { choice, baseline, host } = this;
    const scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1;
    this.width = host.clientWidth / scale;
    if (this.width < 1) return;
    this.out.textContent = short(baseline);
    this.field.setAttribute("aria-valuetext", short(baseline));
    const found = [choice.estimate(0), choice.estimate(baseline)];
    const side = this.width >= 760;
    const marks = side ? this.width * 0.58 : this.width;
    host.replaceChildren(this.marks(found, marks, scale), this.curve(found, side ? this.width - marks - 32 : this.width, scale));
    const [without, by] = found.map(({ distances }) => distances.at(-1));
    const noise = t("One draw lies {without} from the exact gradient without a baseline, {by} with this one (root of the mean square).", { without: short(choice.noise(0)), by: short(choice.noise(baseline)) });
    const mean = choice.drawn.length ? t("The mean of {n} draws: {without} and {by}.", { n: choice.drawn.length, without: short(without), by: short(by) }) : t("Nothing has been drawn yet.");
    this.told.textContent = `${noise} ${mean}`;
    this.figure.changed();
  }

  /** A row a cell: its weight and what it earns; the exact gradient and the two estimates. */
  marks(found, width, scale) {
    const { choice } = this;
    const { weights, rewards, exact, drawn } = choice;
    const height = 34 + weights.length * ROW + 26;
    const limit = Math.max(1, 1.15 * Math.max(...exact.map(Math.abs), ...found.flatMap(({ mean }) => mean.map(Math.abs))));
    const x = (value) => LEFT + ((value / limit + 1) / 2) * (width - LEFT - 10);
    const drawing = this.sheet(width, height, scale, t("gradient by energy: exact {list}", { list: exact.map(short).join(", ") }));
    const foot = 34 + weights.length * ROW;
    drawing.append(svg("text", { x: 0, y: 14, class: "quiet" }, t("cell, weight α, reward R")), svg("text", { x: x(0), y: 14, class: "quiet", "text-anchor": "middle" }, t("gradient by e")));
    for (const tick of [-limit, -limit / 2, 0, limit / 2, limit]) {
      drawing.append(svg("line", { x1: at(x(tick)), x2: at(x(tick)), y1: 28, y2: foot, class: tick ? "grid" : "zero" }));
      const anchor = tick === limit ? "end" : "middle";
      drawing.append(svg("text", { x: at(x(tick)) + (tick === limit ? 8 : 0), y: foot + 18, "text-anchor": anchor, class: "quiet num" }, plain(tick)));
    }
    weights.forEach((weight, j) => {
      const y = 34 + (j + 0.5) * ROW;
      const counted = drawn.filter((s) => s === j).length;
      drawing.append(
        svg("text", { x: 0, y: y - 2, class: "name" }, NAMES[j]),
        svg("text", { x: 24, y: y - 2, class: "num" }, `${weight.toFixed(2)}   ${rewards[j].toFixed(2).replace("-", "−")}`),
        svg("rect", { x: 24, y: y + 5, width: at(weight * (LEFT - 56)), height: 6, class: "weight" }),
        svg("text", { x: 28 + weight * (LEFT - 56), y: y + 12, class: "quiet num small" }, `×${counted}`),
        svg("line", { x1: at(x(exact[j])), x2: at(x(exact[j])), y1: y - 16, y2: y + 16, class: "exact" }),
      );
      if (!drawn.length) return;
      drawing.append(svg("circle", { cx: at(x(found[0].mean[j])), cy: y - 7, r: 5, class: "without" }), svg("circle", { cx: at(x(found[1].mean[j])), cy: y + 7, r: 5, class: "by" }));
    });
    return drawing;
  }

  /** The distance of both means from the exact gradient, draw after draw, both scales logarithmic. */
  curve(found, width, scale) {
    const left = 52;
    const [top, foot] = [34, 264];
    const many = Math.max(10, this.choice.drawn.length);
    const [low, high] = [0.001, 10];
    const x = (n) => left + (Math.log(n) / Math.log(many)) * (width - left - 12);
    const y = (value) => foot - (Math.log(Math.max(low, Math.min(high, value)) / low) / Math.log(high / low)) * (foot - top);
    const drawing = this.sheet(width, 300, scale, t("distance of the mean from the exact gradient, by draws"));
    drawing.append(svg("text", { x: 0, y: 14, class: "quiet" }, t("distance of the mean from the exact gradient, by draws")));
    for (let value = low; value <= high * 1.01; value *= 10) {
      drawing.append(svg("line", { x1: left, x2: width - 12, y1: at(y(value)), y2: at(y(value)), class: "grid" }), svg("text", { x: left - 6, y: at(y(value)) + 4, "text-anchor": "end", class: "quiet num" }, plain(value)));
    }
    for (let n = 1; n <= many; n *= 10) drawing.append(svg("text", { x: at(x(n)), y: foot + 18, "text-anchor": "middle", class: "quiet num" }, String(n)));
    found.forEach(({ distances }, k) => {
      if (!distances.length) return;
      const step = Math.max(1, Math.floor(distances.length / 1500));
      const path = distances.flatMap((value, n) => (n < 100 || n % step === 0 ? [`${at(x(n + 1))} ${at(y(value))}`] : [])).join("L");
      drawing.append(svg("path", { d: `M${path}`, class: k ? "line-by" : "line-without" }));
    });
    return drawing;
  }

  sheet(width, height, scale, label) {
    return svg("svg", { class: "choice-drawing", role: "img", "aria-label": label, viewBox: `0 0 ${at(width)} ${height}`, width: at(width * scale), height: at(height * scale) });
  }

  values() {
    const { choice, baseline } = this;
    const [without, by] = [choice.estimate(0), choice.estimate(baseline)].map(({ distances }) => distances.at(-1) ?? NaN);
    return { draws: choice.drawn.length, baseline, noise: choice.noise(baseline), noise_without: choice.noise(0), distance: by, distance_without: without };
  }
}
