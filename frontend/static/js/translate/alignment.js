/**
 * The alignment: a row for every word written, a column for every word read, the weights of
 * attention between them. A new word draws its row. Arrows move the chosen cell, Enter makes the
 * row look there.
 */

import { color } from "../color.js";
import { sharpen } from "../raster.js";
import { LEVELS } from "../trace-store.js";
import { full, make, percent, short, t } from "../words.js";
import { paintCells, paintColumns, paintMarks, paintRows, rampFor } from "./alignment-paint.js";
import { Grid } from "./grid.js";

export class Alignment {
  /**
   * @param {HTMLElement} host
   * @param {{translation, link, onForce?: (target: number, source: number) => void,
   *   onRelease?: (target: number) => void, label: string}} options
   */
  constructor(host, { translation, link, onForce = null, onRelease = null, label }) {
    Object.assign(this, { host, translation, link, onForce, onRelease });
    this.quantity = "weight";
    this.born = [];
    this.low = make("span", { class: "num" });
    this.high = make("span", { class: "num" });
    this.bar = make("span", { class: "bar" });
    this.readout = make("output", { class: "readout num" });
    this.choice = make("select", { class: "plain", "aria-label": t("shown in the map") },
      make("option", { value: "weight" }, t("weights α")), make("option", { value: "energy" }, t("energies e")));
    this.choice.addEventListener("change", () => this.show(this.choice.value));
    this.words = make("p", { class: "out-of-sight" });
    this.canvas = make("canvas", { class: "alignment-cells", tabindex: "0", role: "application", "aria-label": label });
    this.labels = make("canvas", { class: "alignment-labels", "aria-hidden": "true" });
    this.scroller = make("div", { class: "alignment-scroll" }, this.canvas);
    host.append(
      make("header", { class: "alignment-head" }, this.choice, make("span", { class: "scale" }, this.low, this.bar, this.high), this.readout),
      make("div", { class: "alignment-body" }, this.labels, this.scroller),
      this.words,
    );
    this.listen();
  }

  listen() {
    const { canvas, link } = this;
    const place = (event) => this.grid?.at(event.offsetX, event.offsetY) ?? { target: -1, source: -1 };
    canvas.addEventListener("pointermove", (event) => {
      const { target, source } = place(event);
      link.point(target, source);
    });
    canvas.addEventListener("pointerleave", () => link.point());
    canvas.addEventListener("click", (event) => {
      const { target, source } = place(event);
      if (target >= 0 || source >= 0) link.choose(target < 0 ? link.pin.target : target, source);
    });
    canvas.addEventListener("dblclick", (event) => {
      const { target, source } = place(event);
      if (target >= 0 && source >= 0) this.onForce?.(target, source);
    });
    this.labels.addEventListener("click", (event) => {
      const { target } = this.grid?.at(0, event.offsetY) ?? { target: -1 };
      if (target >= 0) link.choose(target, link.pin.source);
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const { link, translation } = this;
    const { target, source } = link.pin;
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const last = (list) => list.length - 1;
    if (move && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const clamp = (value, most) => Math.max(0, Math.min(most, value));
      link.choose(clamp(target + move[0], last(translation.target)), clamp(source + move[1], last(translation.source)));
      this.reveal();
    } else if (event.key === "Enter" && target >= 0 && source >= 0) this.onForce?.(target, source);
    else if ((event.key === "Delete" || event.key === "Backspace") && target >= 0) this.onRelease?.(target);
    else if (event.key === "Escape") link.choose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The chosen column into view, where the map is wider than its place. */
  reveal() {
    const { grid, scroller, link } = this;
    if (!grid || link.pin.source < 0) return;
    const x = grid.x(link.pin.source);
    if (x < scroller.scrollLeft) scroller.scrollLeft = x - grid.cellWidth;
    else if (x + grid.cellWidth > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = x + 2 * grid.cellWidth - scroller.clientWidth;
  }

  show(quantity) {
    this.quantity = this.choice.value = quantity === "energy" ? "energy" : "weight";
    this.draw();
  }

  /** The numbers of a row; undefined where there are none. */
  row(target) {
    const token = this.translation.target[target];
    if (!token) return undefined;
    return this.quantity === "energy" ? token.points["attention.energy"] : token.attention;
  }

  get limits() {
    if (this.quantity === "weight") return [0, 1];
    let largest = 0;
    this.translation.target.forEach((_, k) => {
      for (const value of this.row(k) ?? []) if (Math.abs(value) > largest && Number.isFinite(value)) largest = Math.abs(value);
    });
    const limit = LEVELS.find((level) => level >= largest) ?? largest;
    return [-limit, limit];
  }

  /** Draws; true while a row is still arriving. */
  draw(now = performance.now()) {
    const { translation, host } = this;
    const { source, target } = translation;
    if (!source.length || !host.clientWidth) return false;
    // Rows before a change stand already: only what is new arrives.
    if (this.seen !== source) Object.assign(this, { seen: source, born: new Array(translation.known ?? 0).fill(0) });
    while (this.born.length < target.length) this.born.push(now);
    const scale = parseFloat(color("--scale")) || 1;
    const font = `${translation.characters ? 13.5 * scale : 13 * scale}px ${translation.characters ? color("--mono") : color("--sans")}`;
    const pen = this.canvas.getContext("2d");
    pen.font = `600 ${font}`; // what is chosen is bold
    const labels = { source: source.map((token) => token.label), target: target.map((token) => token.label) };
    const grid = (this.grid = new Grid(pen, { ...labels, width: host.clientWidth, scale }));
    // While words come the place keeps its height, so that what is below stays where it is.
    const held = translation.busy ? Math.max(grid.height, this.height ?? 0) : grid.height;
    this.height = held;
    for (const [canvas, width] of [[this.canvas, grid.width], [this.labels, grid.gutter]]) {
      Object.assign(canvas.style, { width: `${width}px`, height: `${grid.height}px` });
    }
    this.scroller.parentElement.style.minHeight = `${held}px`;
    const { context, ratio } = sharpen(this.canvas, grid.width, grid.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [low, high] = this.limits;
    const { shown } = this.link;
    const what = { row: (k) => this.row(k), quantity: this.quantity, limits: [low, high], shown: shown.target, born: this.born, forced: target.map(({ forced }) => forced) };
    const young = paintCells(context, grid, what, now, scale);
    paintColumns(context, grid, source, shown.source, font);
    paintRows(this.labels, grid, target, shown.target, font, scale);
    paintMarks(context, grid, this.link, target, scale);
    this.legend(low, high);
    this.tell();
    return young;
  }

  legend(low, high) {
    const ramp = rampFor(this.quantity);
    if (this.told === ramp && this.toldHigh === high) return;
    Object.assign(this, { told: ramp, toldHigh: high });
    const stops = Array.from({ length: 17 }, (_, k) => ramp.css[Math.round((k * 255) / 16)]);
    this.bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
    this.low.textContent = short(low).replace(/\.0+$/, "");
    this.high.textContent = short(high).replace(/\.0+$/, "");
  }

  /** The cell that is pointed at, or chosen, in words and numbers. */
  tell() {
    const { source, target } = this.translation;
    const { hover, pin } = this.link;
    const one = hover.target >= 0 && hover.source >= 0 ? hover : pin;
    const value = one.source >= 0 ? this.row(one.target)?.[one.source] : undefined;
    this.readout.textContent = value === undefined ? "" : t("{target} looks at {source}: {value}", {
      target: target[one.target].label,
      source: source[one.source].label,
      value: this.quantity === "weight" ? percent(value) : short(value),
    });
    this.readout.title = value === undefined ? "" : full(value);
  }

  /** The whole map in words, for a listener: where each word looks most. */
  describe() {
    const { source, target } = this.translation;
    this.words.textContent = target
      .filter((token) => token.attention)
      .map(({ label, attention }) => {
        const best = attention.indexOf(Math.max(...attention));
        return t("{target} looks at {source}: {value}", { target: label, source: source[best].label, value: percent(attention[best]) });
      })
      .join("; ");
  }
}
