/**
 * The drawing of the gradient bench: losses, the text, norms of gradients on a log scale and radii of
 * Jacobians, in columns that are the characters. SVG: its colours are those of the style sheet.
 */

import { at as px, svg } from "../decoder/svg.js";
import { make, mark, spoken, t } from "../words.js";
import { spokenNumber } from "./gradient-data.js";
import { decades, dot } from "./gradient-marks.js";

const NARROWEST = 7.5; // css px of a column: below, the drawing scrolls in itself
const WIDEST = 80;
const NATS = [0.25, 0.5, 1, 2, 3, 6]; // at the top of a row of losses; bars above the last have a notch
const SIZES = { losses: 30, text: 26, gradients: 250, radii: 120, axis: 22 }; // css px
const RADII = {
  radius: "spectral radius of the step's Jacobian", stretch: "largest singular value of the step's Jacobian",
  kept: "largest f (LSTM) or z (GRU): what the road of c, or of h, alone keeps",
};
const TITLE = 20; // over each part

export class GradientPlot {
  /** @param {HTMLElement} host @param {string[]} show @param {{onGo: (t: number) => void, onHover: (t: number) => void}} hands */
  constructor(host, show, hands) {
    Object.assign(this, { host, show, hands });
    this.gutter = svg("svg", { class: "gb-gutter", "aria-hidden": "true" });
    this.drawing = svg("svg", { class: "gb-drawing", role: "slider", tabindex: "0", "aria-valuenow": "0" });
    this.scroller = make("div", { class: "gb-scroll" }, this.drawing);
    host.append(make("div", { class: "gb-plot" }, this.gutter, this.scroller));
    this.scroller.addEventListener("scroll", () => this.names?.());
    const column = (event) => Math.floor((event.clientX - this.drawing.getBoundingClientRect().left) / this.column);
    this.drawing.addEventListener("click", (event) => this.inside(column(event)) && hands.onGo(column(event)));
    this.drawing.addEventListener("pointermove", (event) => hands.onHover(this.inside(column(event)) ? column(event) : -1));
    this.drawing.addEventListener("pointerleave", () => hands.onHover(-1));
    this.drawing.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 }[event.key];
      if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      hands.onGo(Math.max(0, Math.min(this.length - 1, this.state.at + way)));
    });
  }

  inside(t) {
    return t >= 0 && t < (this.length ?? 0);
  }

  /** @param {import("./gradient-data.js").Answer[]} answers @param {any} state of the bench */
  draw(answers, state) {
    Object.assign(this, { answers, state });
    this.names = () => {};
    this.length = answers[0].losses.length;
    const scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1;
    this.scale = scale;
    const left = (this.left = 50 * scale);
    const room = this.host.clientWidth - left;
    this.column = Math.max(NARROWEST * scale, Math.min(WIDEST * scale, room / this.length));
    this.width = this.column * this.length;
    this.gutter.replaceChildren();
    this.drawing.replaceChildren();
    const rows = [];
    let y = 0;
    for (const name of ["losses", "text", "gradients", "radii"]) {
      if (name !== "text" && !this.show.includes(name)) continue;
      // A projector's screen is no taller than a laptop's: its letters grow, its plots hardly do.
      const height = SIZES[name] * (name === "text" ? scale : Math.min(scale, 1.15)) * (name === "losses" ? answers.length : 1);
      if (name !== "text") y += TITLE * scale;
      rows.push([name, y, height]);
      y += height;
    }
    this.height = y + SIZES.axis * scale;
    this.borders(rows);
    for (const [name, top, height] of rows) this[name](top, height);
    this.steps(this.height - 6 * scale);
    for (const [drawing, width] of [[this.gutter, left], [this.drawing, this.width]]) {
      const sizes = { viewBox: `0 0 ${px(width)} ${px(this.height)}`, width: px(width), height: px(this.height) };
      for (const [key, value] of Object.entries(sizes)) drawing.setAttribute(key, value);
    }
    this.describe();
  }

  /** Bring the step of the loss into view, where the drawing is wider than its place. */
  reveal() {
    const x = (this.state.at + 0.5) * this.column;
    const { scroller } = this;
    if (x < scroller.scrollLeft || x > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = x - scroller.clientWidth * 0.85;
  }

  describe() {
    const { state, answers } = this;
    const { drawing } = this;
    const told = answers.map((one) => {
      const reach = one.reach(state.layer, state.at);
      return t("{name}: {first} at the first character, {last} at the last", { name: one.name, first: spokenNumber(Math.log10(reach.first)), last: spokenNumber(Math.log10(reach.last)) });
    });
    drawing.setAttribute("aria-label", `${t("norm of the gradient over the text; arrow keys choose the step of the loss")}. ${told.join("; ")}`);
    drawing.setAttribute("aria-valuemin", "0");
    drawing.setAttribute("aria-valuemax", String(this.length - 1));
    drawing.setAttribute("aria-valuenow", String(state.at));
    drawing.setAttribute("aria-valuetext", t("step {n}: {character}", { n: state.at, character: spoken(answers[0].tokens[state.at]) }));
  }

  x(t) {
    return (t + 0.5) * this.column;
  }

  /** The column of the loss, and the borders between chunks. */
  borders(rows) {
    const { state, answers, column, height, scale } = this;
    const bottom = height - SIZES.axis * scale;
    if (!state.sum) this.drawing.append(svg("rect", { class: "gb-at", x: px(state.at * column), y: 0, width: px(column), height: px(bottom) }));
    for (const start of answers[0].cut?.starts.slice(1) ?? []) {
      this.drawing.append(svg("line", { class: "gb-border", x1: px(start * column), x2: px(start * column), y1: 0, y2: px(bottom) }));
    }
    for (const [name, top, size] of rows) {
      if (name === "text") continue;
      this.drawing.append(svg("line", { class: "gb-rule", x1: 0, x2: px(this.width), y1: px(top + size), y2: px(top + size) }));
    }
  }

  losses(top) {
    const { answers, column, scale } = this;
    const size = SIZES.losses * Math.min(scale, 1.15);
    const highest = Math.max(...answers.flatMap((one) => [...one.losses].filter(Number.isFinite)));
    const most = NATS.find((nats) => nats >= highest) ?? NATS.at(-1);
    this.title(t("loss at each step, in nats (top of a row: {n})", { n: most }), top);
    answers.forEach((one, k) => {
      const floor = top + (k + 1) * size;
      this.label(one.name, floor - 4 * scale, `gb-name of-${one.family}`);
      const group = svg("g", { class: `gb-bars of-${one.family}` });
      one.losses.forEach((nats, step) => {
        if (!Number.isFinite(nats)) return group.append(svg("rect", { class: "gb-none", x: px(step * column + 0.5), y: px(floor - size + 4), width: px(column - 1), height: px(size - 4) }));
        const high = (Math.min(nats, most) / most) * (size - 4 * scale);
        const chosen = this.state.sum || step === this.state.at;
        group.append(svg("rect", { class: chosen ? "chosen" : null, x: px(step * column + 0.75), y: px(floor - Math.max(high, 0.75)), width: px(column - 1.5), height: px(Math.max(high, 0.75)) }));
        if (nats > most) group.append(svg("rect", { class: "gb-notch", x: px(step * column), y: px(floor - high + 2), width: px(column), height: px(2) }));
      });
      this.drawing.append(group, svg("line", { class: "gb-rule", x1: 0, x2: px(this.width), y1: px(floor), y2: px(floor) }));
    });
  }

  text(top, height) {
    const { answers, column, scale, state } = this;
    const letter = Math.min(15 * scale, column * 1.62);
    answers[0].tokens.slice(0, this.length).forEach((token, step) => {
      const own = { class: `gb-letter num${step === state.at && !state.sum ? " chosen" : ""}`, x: px(this.x(step)), y: px(top + height * 0.68), "font-size": px(letter) };
      this.drawing.append(svg("text", own, mark(token)));
    });
  }

  /** Norms on a log scale. */
  gradients(top, height) {
    const { answers, state, scale } = this;
    const drawn = answers.flatMap((answer) => {
      const whole = answer.lines(state.layer);
      const cut = answer.truncated && answer.lines(state.layer, answer.truncated);
      return whole.map((line, k) => ({ answer, letter: line.letter, log: line.log, cut: cut?.[k].log }));
    });
    this.title(t(state.sum ? "norm of the gradient of the sum of losses, at every state" : "norm of the gradient of that one loss, at every state"), top);
    const [low, high] = (this.range = decades(drawn.flatMap((line) => [line.log, line.cut].filter(Boolean))));
    const y = (log) => top + height - ((log - low) / (high - low)) * height;
    const every = [1, 2, 5, 10].find((n) => (high - low) / n <= 7);
    for (let k = Math.ceil(low / every) * every; k <= high; k += every) {
      this.drawing.append(svg("line", { class: k === 0 ? "gb-one" : "gb-grid", x1: 0, x2: px(this.width), y1: px(y(k)), y2: px(y(k)) }));
      this.label(k === 0 ? "1" : "10", y(k) + 4 * scale, "gb-tick num", k === 0 ? "" : String(k).replace("-", "−"));
    }
    for (const { answer, letter, log, cut } of drawn) {
      const kind = `gb-line of-${answer.family} is-${letter}`;
      this.line(log, y, low, high, `${kind}${cut ? " faint" : ""}`);
      if (cut) this.line(cut, y, low, high, kind);
    }
    this.tags = svg("g", {});
    this.gutter.append(this.tags);
    this.names = () => this.place(drawn, y, top, top + height);
    this.names();
  }

  /** A line over the steps where there is a number; marks where it leaves the scale. */
  line(log, y, low, high, kind) {
    const { scale } = this;
    let path = "";
    let down = false;
    const mark = (step, at, text) => this.drawing.append(svg("text", { class: `${kind} gb-mark`, x: px(this.x(step)), y: px(at), "font-size": px(10 * scale) }, text));
    let under = false;
    for (let step = 0; step < log.length; step++) {
      const value = log[step];
      if (Number.isNaN(value)) {
        this.drawing.append(svg("rect", { class: "gb-none", x: px(step * this.column), y: px(y(high)), width: px(this.column), height: px(y(low) - y(high)) }));
      }
      if (value > high) mark(step, y(high) + 8 * scale, "▴");
      const below = value < low && value > -Infinity;
      if (below !== under) mark(below ? step : step - 1, y(low) - 1, "▾");
      under = below;
      if (!(value >= low && value <= high)) {
        down = false;
        continue;
      }
      path += `${down ? "L" : "M"}${px(this.x(step))} ${px(y(value))}`;
      if (!down && !(log[step + 1] >= low)) path += "h0.01"; // a point by itself is a dot
      down = true;
    }
    this.drawing.append(svg("path", { class: kind, d: path, fill: "none" }));
  }

  /** Names beside the left ends of lines as they are in view, moved apart. */
  place(drawn, y, top, bottom) {
    const step = 14 * this.scale;
    const first = Math.ceil(this.scroller.scrollLeft / this.column - 0.01);
    const ends = drawn
      .map(({ answer, letter, log, cut }) => ({ y: y((cut ?? log).slice(first).find((value) => Number.isFinite(value))), text: `${answer.name} ${letter}`, kind: `gb-name of-${answer.family} is-${letter}` }))
      .filter((end) => Number.isFinite(end.y))
      .sort((one, two) => one.y - two.y);
    ends.forEach((end, k) => {
      end.at = Math.max(Math.min(end.y, bottom) - 6 * this.scale, k ? ends[k - 1].at + step : top + step * 0.8);
    });
    for (let k = ends.length - 1, most = bottom - 4; k >= 0; k--, most -= step) ends[k].at = Math.min(ends[k].at, most);
    this.tags.replaceChildren(...ends.map(({ at, text, kind }) => svg("text", { class: kind, x: px(this.left + 5 * this.scale), y: px(at), "font-size": px(12 * this.scale) }, text)));
  }

  /** Spectral radii, or largest singular values, at the steps that were worked out. */
  radii(top, height) {
    const { answers, state, scale } = this;
    this.title(t(RADII[state.radius]), top);
    const all = answers.flatMap((one) => (one.jacobians?.[state.radius] ? [one.jacobians[state.radius]] : []));
    const most = Math.max(1.5, ...all.flatMap((row) => [...row].filter(Number.isFinite))) * 1.08;
    const y = (value) => top + height - (Math.min(value, most) / most) * height;
    const every = [0.5, 1, 2, 5, 10, 20, 50, 100, 200].find((n) => most / n <= 4) ?? 1000;
    for (let k = 0; k <= most; k += every) this.label(String(k), y(k) + 4 * scale);
    this.drawing.append(svg("line", { class: "gb-one", x1: 0, x2: px(this.width), y1: px(y(1)), y2: px(y(1)) }));
    for (const one of answers) {
      if (!one.jacobians?.[state.radius]) continue; // a plain RNN has no gate that keeps
      const { steps } = one.jacobians;
      const values = one.jacobians[state.radius];
      const places = steps.map((step, k) => [this.x(step), y(values[k])]).filter(([, place]) => Number.isFinite(place));
      const path = places.map(([x, place], k) => `${k ? "L" : "M"}${px(x)} ${px(place)}`).join("");
      this.drawing.append(svg("path", { class: `gb-line thin of-${one.family} is-h`, d: path, fill: "none" }));
      for (const [x, place] of places) this.drawing.append(dot(one.family, x, place, 3 * scale));
    }
  }

  /** Numbers of steps below everything. */
  steps(y) {
    const every = [1, 2, 5, 10, 20, 50].find((n) => n * this.column >= 32 * this.scale) ?? 100;
    for (let step = 0; step < this.length; step += every) {
      this.drawing.append(svg("text", { class: "gb-tick num", x: px(this.x(step)), y: px(y), "text-anchor": "middle", "font-size": px(11 * this.scale) }, String(step)));
    }
  }

  label(text, y, kind = "gb-tick num", raised = "") {
    const size = 11 * this.scale;
    const label = svg("text", { class: kind, x: px(this.left - 6 * this.scale), y: px(y), "text-anchor": "end", "font-size": px(size) }, text);
    if (raised) label.append(svg("tspan", { dy: px(-size * 0.4), "font-size": px(size * 0.8) }, raised));
    this.gutter.append(label);
  }

  /** What a part shows, over it. */
  title(text, top) {
    this.gutter.append(svg("text", { class: "gb-title", x: px(this.left), y: px(top - 6 * this.scale), "font-size": px(12 * this.scale) }, text));
  }
}
