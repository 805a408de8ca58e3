/**
 * One point over time: units down, characters across. The raster is ours; Plotly draws the axis
 * beside it when it is there, and the files that are saved.
 */

import { color, rampOf } from "./color.js";
import { Raster, hatch, sharpen } from "./raster.js";
import { gestures } from "./time-axis.js";
import { full, make, nameOf, percent, short, t } from "./words.js";

export class HeatMap {
  /**
   * @param {import("./trace-store.js").PointColumns} point
   * @param {{store, axis, onPick: (point, t, unit) => void, onFold, onMove, onSave, tag?: string}} options
   */
  constructor(point, options) {
    Object.assign(this, { point, ...options });
    this.raster = new Raster(point);
    this.folded = false;
    this.unit = -1;
    this.build();
  }

  build() {
    const { point } = this;
    const title = `${nameOf(point.letter)}`;
    this.fold = make(
      "button",
      { class: "map-title", type: "button", "aria-expanded": "true" },
      make("i", { class: `q q-${point.letter}` }, point.letter),
      make("span", {}, title),
      make("small", { class: "quiet num" }, this.tag ? `${this.tag} ${point.name}` : point.name),
    );
    this.fold.addEventListener("click", () => this.setFolded(!this.folded));
    this.low = make("span", { class: "num" });
    this.high = make("span", { class: "num" });
    this.bar = make("span", { class: "bar" });
    this.saturation = make("span", { class: "saturation quiet" });
    this.readout = make("output", { class: "readout num" });
    const act = (label, text, run) => {
      const button = make("button", { class: "plain", type: "button", "aria-label": `${label}: ${title}`, title: label }, text);
      button.addEventListener("click", run);
      return button;
    };
    const tools = make(
      "span",
      { class: "tools" },
      ...(this.onMove ? [act(t("move up"), "↑", () => this.onMove(this, -1)), act(t("move down"), "↓", () => this.onMove(this, 1))] : []),
      ...["PNG", "SVG", "CSV"].map((kind) => act(t("save as {kind}", { kind }), kind, () => this.onSave(this, kind.toLowerCase()))),
    );
    this.header = make(
      "header",
      {},
      this.fold,
      make("span", { class: "scale" }, this.low, this.bar, this.high),
      this.saturation,
      this.readout,
      tools,
    );
    this.canvas = make("canvas", {
      class: "plot",
      tabindex: "0",
      role: "application",
      "aria-label": t("{name}, layer {layer}: heat map, {units} units over time. Up and down choose a unit.", {
        name: title,
        layer: point.layer,
        units: point.units,
      }),
    });
    this.scaleHost = make("div", { class: "gutter axis", "aria-hidden": "true" });
    this.body = make("div", { class: "map-body" }, this.scaleHost, this.canvas);
    this.element = make("section", { class: "map" }, this.header, this.body);
    gestures(this.canvas, this.axis, (at, event) => this.onPick(point, at, this.unitAt(at, event.offsetY)));
    this.canvas.addEventListener("pointermove", (event) => this.hover(event.offsetY));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      this.onPick(point, this.axis.at, this.neighbour(by));
    });
  }

  neighbour(by) {
    const { order } = this.raster;
    const { units } = this.point;
    const place = this.unit < 0 ? 0 : order ? order.indexOf(this.unit) : this.unit;
    const next = Math.max(0, Math.min(units - 1, place + by));
    return order ? order[next] : next;
  }

  setFolded(folded) {
    this.folded = folded;
    this.element.classList.toggle("folded", folded);
    this.fold.setAttribute("aria-expanded", String(!folded));
    this.onFold(this);
  }

  /** @param {number} height css px of the raster @param {number[]|null} order of the units */
  arrange(height, order) {
    this.height = height;
    this.order = order;
    this.body.style.height = `${height}px`;
    this.raster.shape(Math.floor(height * Math.min(2, window.devicePixelRatio || 1)), order);
    this.scaled = false;
  }

  unitAt(at, y) {
    const row = Math.max(0, Math.min(this.raster.rows - 1, Math.floor((y / this.height) * this.raster.rows)));
    return this.raster.unitAt(at, row);
  }

  /** What lies under the pointer, in numbers. */
  hover(y) {
    const at = this.axis.hover;
    if (y < 0 || at < 0 || at >= this.store.length) return this.tellAt();
    const unit = this.unitAt(at, y);
    const value = this.point.at(at, unit);
    this.readout.textContent = t("unit {unit}, step {step}: {value}", { unit, step: at, value: short(value) });
    this.readout.title = full(value);
  }

  /** The chosen unit at the step that is pointed at anywhere, else at the current one. */
  tellAt() {
    const at = this.axis.hover >= 0 ? this.axis.hover : this.axis.at;
    if (this.unit < 0 || at < 0 || at >= this.store.length) {
      this.readout.textContent = "";
      return;
    }
    this.readout.textContent = t("unit {unit}, step {step}: {value}", {
      unit: this.unit,
      step: at,
      value: short(this.point.at(at, this.unit)),
    });
  }

  draw() {
    const { axis, store, point, raster } = this;
    if (this.folded || !this.height) return;
    if (this.cuts !== store.cuts) {
      raster.clear();
      this.cuts = store.cuts;
    }
    const { context, ratio } = sharpen(this.canvas, axis.width, this.height);
    const from = axis.window[0];
    const to = Math.min(axis.window[1], store.length);
    const w = axis.columnWidth;
    if (from < to) {
      const x = (c) => axis.x(c) * ratio;
      raster.paint(context, from, to, store.length, x, w * ratio, 0, this.canvas.height);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const row = this.height / raster.rows;
      for (const [c, r] of raster.holes) {
        if (c >= from && c < to) hatch(context, axis.x(c), r * row, w, row, color("--ink-3"));
      }
      if (point.range === "unit" && w >= 14 && row >= 7) this.saturated(context, from, to, row);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.chosen(context);
    this.legend();
  }

  /** A dot on each saturated cell, where cells are large enough to carry one. */
  saturated(context, from, to, row) {
    const { axis, raster, point } = this;
    context.fillStyle = color("--ink-2");
    for (let c = from; c < to; c++) {
      for (let r = 0; r < raster.rows; r++) {
        const value = point.at(c, raster.unitAt(c, r));
        if (value < 0.05 || value > 0.95) context.fillRect(axis.x(c) + axis.columnWidth / 2 - 1, (r + 0.5) * row - 1, 2, 2);
      }
    }
  }

  chosen(context) {
    if (this.unit < 0) return;
    const { axis, raster } = this;
    const row = this.height / raster.rows;
    const tall = Math.max(row, 3);
    const y = (raster.rowOf(this.unit) + 0.5) * row;
    context.fillStyle = color("--ink");
    context.beginPath();
    context.moveTo(0, y - 4);
    context.lineTo(5, y);
    context.lineTo(0, y + 4);
    context.fill();
    context.strokeStyle = color("--ink");
    context.lineWidth = 1.25;
    if (axis.at >= 0) context.strokeRect(axis.x(axis.at), y - tall / 2 - 0.5, axis.columnWidth, tall + 1);
  }

  /** Limits and marks of the colour bar, and the share of saturated values. */
  legend() {
    const { point } = this;
    const [low, high] = point.limits;
    const ramp = rampOf(point.range, point.letter);
    if (this.told !== ramp || this.toldHigh !== high) {
      this.told = ramp;
      this.toldHigh = high;
      const stops = Array.from({ length: 17 }, (_, k) => ramp.css[Math.round((k * 255) / 16)]);
      this.bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
      this.low.textContent = short(low).replace(/\.0+$/, "");
      this.high.textContent = short(high).replace(/\.0+$/, "");
      this.bar.classList.toggle("gate", point.range === "unit");
    }
    const clipped = point.range === "real" && point.largest > high;
    this.bar.classList.toggle("clipped", clipped);
    this.bar.title = clipped ? t("values reach {value}: cut at the ends of the bar", { value: short(point.largest) }) : "";
    const now = performance.now();
    if (point.range === "unit" && !(now - this.toldAt < 150)) {
      this.toldAt = now;
      const share = percent(point.saturated);
      if (share !== this.share) {
        this.share = share;
        this.saturation.textContent = share ? t("saturated {share}", { share }) : "";
      }
    }
  }

  /** How units and rows relate, in words. */
  get density() {
    const { rows } = this.raster;
    const { units } = this.point;
    return rows < units ? t("{rows} rows for {units} units: each shows the strongest of the units it covers", { rows, units }) : "";
  }

  /** The axis of units, by Plotly, once it is there and the page is at rest. */
  drawScale(Plotly) {
    if (this.scaled || this.folded || !this.height) return false;
    const { units } = this.point;
    const { order } = this.raster;
    const width = this.scaleHost.clientWidth;
    const count = this.height < 90 ? 3 : 5;
    const places = Array.from({ length: count }, (_, k) => Math.round((k * (units - 1)) / (count - 1)));
    Plotly.react(
      this.scaleHost,
      [],
      {
        width: width + 1,
        height: this.height + 16,
        margin: { l: width, r: 0, t: 8, b: 8 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: color("--mono").replaceAll('"', ""), size: 10.5 * (parseFloat(color("--scale")) || 1), color: color("--ink-3") },
        xaxis: { visible: false, fixedrange: true },
        yaxis: {
          range: [units - 0.5, -0.5],
          tickvals: places,
          ticktext: places.map((place) => String(order ? order[place] : place)),
          ticks: "outside",
          ticklen: 4,
          tickcolor: color("--rule-2"),
          showgrid: false,
          zeroline: false,
          fixedrange: true,
        },
      },
      { staticPlot: true, displayModeBar: false },
    );
    this.scaled = true;
    return true;
  }
}
