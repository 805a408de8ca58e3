/** The drawing of a network unrolled with its losses: forward in the colours of quantities, back in ink. */

import { at as px, svg } from "../decoder/svg.js";
import { make, mark, short, spoken, t } from "../words.js";
import { parts } from "./gradient-data.js";

const NARROWEST = 82; // css px of a column: below, the drawing scrolls in itself
const WIDEST = 120;
const ROWS = { top: 20, bar: 56, cell: 120, letter: 200, step: 219, all: 226 }; // css px
const CELL = 26; // half of a cell's width
const SUM = 86; // room for the sum, to the right
let made = 0; // drawings: a mark of one must not be that of another, which may be hidden

export class BpttGraph {
  /** @param {HTMLElement} host @param {{onGo: (t: number) => void, onSum: () => void}} hands */
  constructor(host, hands) {
    Object.assign(this, { host, hands, mark: `bg-${++made}` });
    this.drawing = svg("svg", { class: "bg-drawing", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuenow": "0" });
    this.scroller = make("div", { class: "gb-scroll" }, this.drawing);
    host.append(this.scroller);
    this.drawing.addEventListener("click", (event) => {
      const step = Math.floor((event.clientX - this.drawing.getBoundingClientRect().left) / this.column);
      if (step >= this.length) hands.onSum();
      else if (step >= 0) hands.onGo(step);
    });
    this.drawing.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1, Home: -1e6, End: 1e6 }[event.key];
      if (event.key === "Enter" || event.key === " ") hands.onSum();
      else if (way && !event.ctrlKey && !event.altKey && !event.metaKey) hands.onGo(Math.max(0, Math.min(this.length - 1, this.state.at + way)));
      else return;
      event.preventDefault();
    });
  }

  /** @param {import("./gradient-data.js").Answer} answer @param {any} state */
  draw(answer, state) {
    Object.assign(this, { answer, state, length: answer.losses.length });
    const scale = (this.scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1);
    this.column = Math.max(NARROWEST * scale, Math.min(WIDEST * scale, (this.host.clientWidth - SUM * scale) / this.length));
    const width = this.column * this.length + SUM * scale;
    const height = ROWS.all * scale;
    const { drawing } = this;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${px(width)} ${px(height)}`, width: px(width), height: px(height) })) drawing.setAttribute(name, value);
    [this.line] = answer.lines(state.layer, answer.truncated ?? answer.whole);
    const starts = answer.cut?.starts ?? [];
    drawing.replaceChildren(heads(this.mark));
    this.most = Math.max(...answer.losses, 1e-9);
    for (let step = 0; step < this.length; step++) this.step(step, starts.includes(step) && step > 0);
    this.sum(width);
    this.describe();
  }

  x(step) {
    return (step + 0.5) * this.column;
  }

  y(row) {
    return ROWS[row] * this.scale;
  }

  /** One column: the character, the cell, its loss, and the arrows to and from the column before. */
  step(step, border) {
    const { answer, state, scale, drawing } = this;
    const x = this.x(step);
    const followed = state.sum || step === state.at;
    const cell = this.y("cell");
    const half = CELL * scale;
    if (border) {
      const at = px(step * this.column);
      drawing.append(svg("line", { class: "gb-border", x1: at, x2: at, y1: 0, y2: px(this.y("letter")) }));
    }
    // Up: the character goes into the cell, the state gives a guess and the guess a loss.
    this.arrow(x, this.y("letter") - 16 * scale, x, cell + 15 * scale, "forward");
    this.words(mark(answer.tokens[step]), x, this.y("letter"), "bg-letter num", 16);
    this.words(String(step), x, this.y("step"), "gb-tick num", 11);
    drawing.append(svg("rect", { class: "bg-cell", x: px(x - half), y: px(cell - 14 * scale), width: px(2 * half), height: px(28 * scale), rx: px(5 * scale) }));
    const [text, exponent] = parts(this.line.log[step]);
    this.words(text, x, cell + 5 * scale, "bg-reach num", 13, exponent);
    const shift = 6 * scale;
    const bar = (answer.losses[step] / this.most) * (ROWS.bar - ROWS.top) * scale;
    const floor = this.y("bar");
    const nats = answer.losses[step];
    drawing.append(svg("rect", { class: `bg-loss${followed ? " chosen" : ""}`, x: px(x - half), y: px(floor - bar), width: px(2 * half), height: px(Math.max(1, bar)) }));
    this.words(`${mark(answer.tokens[step + 1])} ${short(nats)}`, x, floor - bar - 5 * scale, `bg-nats num${followed ? " chosen" : ""}`, 12);
    this.arrow(x - shift, cell - 15 * scale, x - shift, floor + 4 * scale, "forward");
    if (followed) this.arrow(x + shift, floor + 3 * scale, x + shift, cell - 16 * scale, "back", 1.25);
    if (step === 0) return;
    // Along time: the state goes on, the gradient comes back unless a border stops it.
    const before = this.x(step - 1);
    this.arrow(before + half, cell - shift, x - half - 1, cell - shift, "forward");
    const log = this.line.carried[step - 1];
    if (log === -Infinity) return;
    const [from, to] = [x - half, before + half];
    if (border) {
      const stop = step * this.column;
      this.arrow(from, cell + shift, stop + 7 * scale, cell + shift, "back stopped", 1.25);
      return this.words("✕", stop, cell + shift + 5 * scale, "bg-stop", 14);
    }
    this.arrow(from, cell + shift, to + 2, cell + shift, "back", thickness(log));
    const [number, power] = parts(log);
    this.words(number, (from + to) / 2, cell + 27 * scale, "bg-carried num", 11, power);
  }

  /** The sum of the losses, at the right. */
  sum(width) {
    const { answer, state, scale, drawing } = this;
    const x = width - (SUM / 2 - 6) * scale;
    const total = answer.losses.reduce((sum, nats) => sum + nats, 0);
    const floor = this.y("bar");
    const kind = `bg-nats num${state.sum ? " chosen" : ""}`;
    this.words("Σ", x, floor - 22 * scale, kind, 20);
    this.words(short(total), x, floor - 3 * scale, kind, 14);
    this.words(t("nats"), x, floor + 12 * scale, "bg-nats", 12);
    this.words("|∂L/∂h|", x, this.y("cell") + 5 * scale, "bg-reach num", 12);
    drawing.append(svg("line", { class: `bg-adds${state.sum ? " chosen" : ""}`, x1: px(this.x(0) - CELL * scale), x2: px(width - SUM * scale + 10 * scale), y1: px(floor + 0.5), y2: px(floor + 0.5) }));
  }

  arrow(x1, y1, x2, y2, kind, width = 1) {
    const [name] = kind.split(" ");
    const thick = width * this.scale;
    this.drawing.append(svg("path", { class: `bg-arrow ${kind}`, d: `M${px(x1)} ${px(y1)}L${px(x2)} ${px(y2)}`, "stroke-width": px(thick), "marker-end": `url(#${this.mark}-${name})` }));
  }

  words(text, x, y, kind, size, raised = "") {
    const node = svg("text", { class: kind, x: px(x), y: px(y), "text-anchor": "middle", "font-size": px(size * this.scale) }, text);
    if (raised) node.append(svg("tspan", { dy: px(-0.4 * size * this.scale), "font-size": px(0.75 * size * this.scale) }, raised));
    this.drawing.append(node);
  }

  describe() {
    const { answer, state, line } = this;
    const told = [...line.log].map((log, step) => `${spoken(answer.tokens[step])} ${parts(log).join("e")}`);
    const { drawing } = this;
    drawing.setAttribute("aria-label", `${t("the network unrolled, with losses and gradients; arrow keys choose a loss, Enter their sum")}. |∂L/∂h|: ${told.join(", ")}`);
    drawing.setAttribute("aria-valuemax", String(this.length - 1));
    drawing.setAttribute("aria-valuenow", String(state.at));
    drawing.setAttribute("aria-valuetext", state.sum ? t("of all steps, added") : t("step {n}: {character}", { n: state.at, character: spoken(answer.tokens[state.at]) }));
  }
}

/** Thicker for more: one px a decade, 5 at 1. @param {number} log */
function thickness(log) {
  return Math.max(0.75, Math.min(7, 4 + 2 * log));
}

/** Heads of arrows, of one size whatever the line. */
function heads(mark) {
  const head = (name) =>
    svg("marker", { id: `${mark}-${name}`, viewBox: "0 0 8 8", refX: "6.5", refY: "4", markerWidth: "8", markerHeight: "8", orient: "auto", markerUnits: "userSpaceOnUse" }, svg("path", { d: "M0 0.5L7.5 4L0 7.5z", class: `bg-head ${name}` }));
  return svg("defs", {}, head("forward"), head("back"));
}
