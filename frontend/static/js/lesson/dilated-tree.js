/**
 * A stack of dilated convolutions over a text: a column a character, a row a layer, and the tree of
 * places that the chosen node looks at, down to the text.
 */

import { color } from "../color.js";
import { sharpen } from "../raster.js";
import { make, mark, percent, short, spoken, t } from "../words.js";

const ROW = 36; // css px between layers
const TOP = 34; // over the last layer: the guess
const TEXT = 30; // under the first layer: the characters
const EDGE = 10; // beside the first and the last column
const NARROWEST = 2.9; // css px of a column: below, the drawing scrolls in itself; 255 fit a laptop
const WIDEST = 26;
const LETTERS = 6; // css px of a column from which characters are written under it
const FAINT = 0.2; // of what the node does not see

export class DilatedTree {
  /** @param {{layers: number, kernel: number}} shape @param {{onGo: Function, nameOf: Function}} hands */
  constructor(shape, hands) {
    Object.assign(this, { shape, hands, scrolled: -1 });
    this.canvas = make("canvas", { class: "conv-canvas", tabindex: "0", role: "slider", "aria-valuemin": "0" });
    this.gutter = make("div", { class: "conv-gutter", "aria-hidden": "true" });
    this.scroller = make("div", { class: "conv-scroll" }, this.canvas);
    this.element = make("div", { class: "conv-tree" }, this.gutter, this.scroller);
    this.canvas.addEventListener("click", (event) => this.clicked(event));
    this.canvas.addEventListener("keydown", (event) => this.pressed(event));
    this.canvas.addEventListener("pointermove", (event) => this.hovered(event));
  }

  /** @param {{tokens: string[], at: number, layer: number, first: number, guess, rows, low, high, ramp}} state */
  draw(state) {
    this.state = state;
    const { layers } = this.shape;
    const scale = (this.scale = parseFloat(color("--scale")) || 1);
    const T = state.tokens.length;
    this.label(scale);
    const room = this.scroller.clientWidth;
    this.column = Math.max(NARROWEST * scale, Math.min(WIDEST * scale, (room - 2 * EDGE * scale) / T));
    const width = Math.max(this.column * T + 2 * EDGE * scale, 160 * scale);
    const height = (TOP + ROW * layers + TEXT) * scale;
    const { context, ratio } = sharpen(this.canvas, width, height);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const tree = this.nodes();
    this.field(context, height);
    this.edges(context, tree);
    this.dots(context, tree);
    this.letters(context);
    if (!state.layer) this.guess(context, width);
    this.describe();
    if (this.scrolled !== state.at) this.show(room);
  }

  /** Bring the chosen column into sight. */
  show(room) {
    this.scrolled = this.state.at;
    const x = this.x(this.state.at);
    const { scrollLeft } = this.scroller;
    if (x > scrollLeft + room - 12 || x < scrollLeft + 12) this.scroller.scrollLeft = x - room + 30;
  }

  x(time) {
    return EDGE * this.scale + (time + 0.5) * this.column;
  }

  /** Of a layer from 1; 0 is the text. */
  y(layer) {
    const { layers } = this.shape;
    return layer ? (TOP + ROW * (layers - layer + 0.5)) * this.scale : (TOP + ROW * layers + TEXT / 2) * this.scale;
  }

  /** Columns of each row that reach the chosen node; those before the text are left out. */
  nodes() {
    const { at, layer } = this.state;
    const top = layer || this.shape.layers;
    const tree = Array.from({ length: top + 1 }, () => new Set());
    tree[top].add(at);
    for (let row = top; row > 0; row--) for (const time of tree[row]) for (const place of this.places(row, time)) tree[row - 1].add(place);
    return tree;
  }

  /** Where a node of a layer, from 1, looks in the row below. */
  places(layer, time) {
    const dilation = 2 ** (layer - 1);
    return Array.from({ length: this.shape.kernel }, (_, k) => time - k * dilation).filter((place) => place >= 0);
  }

  /** What the node sees of the text. */
  field(context, height) {
    const { at, first } = this.state;
    const left = this.x(Math.max(0, first)) - this.column / 2;
    context.fillStyle = color("--wash");
    context.fillRect(left, this.y(0) - (TEXT / 2) * this.scale, this.x(at) + this.column / 2 - left, TEXT * this.scale);
    context.strokeStyle = color("--accent");
    context.lineWidth = 2 * this.scale;
    context.beginPath();
    context.moveTo(left, height - this.scale);
    context.lineTo(this.x(at) + this.column / 2, height - this.scale);
    context.stroke();
  }

  edges(context, tree) {
    context.strokeStyle = color("--ink-3");
    context.lineWidth = this.scale;
    context.globalAlpha = this.column < 7 * this.scale ? 0.5 : 0.8;
    context.beginPath();
    const foot = (TEXT / 2 - 4) * this.scale;
    for (let row = 1; row < tree.length; row++) {
      for (const time of tree[row]) {
        for (const place of this.places(row, time)) {
          context.moveTo(this.x(time), this.y(row));
          context.lineTo(this.x(place), row === 1 ? this.y(0) - foot : this.y(row - 1));
        }
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  dots(context, tree) {
    const { rows, low, high, ramp, at, layer } = this.state;
    // Nodes of the tree are the farther apart the higher they are, so there is more room for them.
    const radius = (spacing) => Math.max(1.5 * this.scale, Math.min(0.42 * spacing * this.column, 8 * this.scale));
    const line = color("--ink-3");
    for (const seen of [false, true]) {
      rows.forEach((row, k) => {
        row.forEach((value, time) => {
          const inside = Boolean(tree[k + 1]?.has(time));
          if (inside !== seen) return;
          const chosen = time === at && k + 1 === (layer || rows.length);
          const size = inside ? radius(2 ** (k + 1)) * (chosen ? 1.2 : 1) : Math.min(radius(1), 4 * this.scale);
          const share = (value - low) / (high - low || 1);
          context.globalAlpha = inside ? 1 : FAINT;
          context.beginPath();
          context.arc(this.x(time), this.y(k + 1), size, 0, 2 * Math.PI);
          context.fillStyle = Number.isFinite(value) ? ramp.css[Math.max(0, Math.min(255, Math.round(255 * share)))] : color("--paper");
          context.fill();
          if (!inside) return;
          context.strokeStyle = chosen ? color("--ink") : line;
          context.lineWidth = (chosen ? 2 : 0.75) * this.scale;
          context.stroke();
        });
      });
    }
    context.globalAlpha = 1;
  }

  letters(context) {
    const { tokens, at, first } = this.state;
    if (this.column < LETTERS * this.scale) return;
    const size = Math.min(15 * this.scale, this.column * 1.45);
    context.textAlign = "center";
    context.textBaseline = "middle";
    tokens.forEach((token, time) => {
      const seen = time >= first && time <= at;
      context.font = `${time === at ? 700 : 400} ${size}px ${color("--mono")}`;
      context.fillStyle = color(seen ? "--ink" : "--ink-3");
      context.fillText(mark(token), this.x(time), this.y(0));
    });
  }

  /** The likeliest next character, over the last layer. */
  guess(context, width) {
    const { at, guess } = this.state;
    const scale = this.scale;
    const x = this.x(at);
    const top = this.y(this.shape.layers);
    context.strokeStyle = context.fillStyle = color("--q-y");
    context.lineWidth = 1.5 * scale;
    context.beginPath();
    context.moveTo(x, top - 13 * scale);
    context.lineTo(x, TOP * scale * 0.72);
    context.stroke();
    const text = `${mark(guess.token)} ${percent(guess.probability)}`;
    context.font = `600 ${14 * scale}px ${color("--mono")}`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    const half = context.measureText(text).width / 2 + 2;
    context.fillText(text, Math.max(half, Math.min(width - half, x)), TOP * scale * 0.38);
  }

  /** Names of the layers, with how far apart their places are. */
  label(scale) {
    const names = [];
    for (let layer = this.shape.layers; layer > 0; layer--) {
      const name = make("span", {}, this.hands.nameOf(layer), make("small", {}, ` ${t("every {n}", { n: 2 ** (layer - 1) })}`));
      name.style.top = `${this.y(layer)}px`;
      names.push(name);
    }
    const text = make("span", {}, t("text"));
    text.style.top = `${(TOP + ROW * this.shape.layers + TEXT / 2) * scale}px`;
    this.gutter.replaceChildren(...names, text);
  }

  describe() {
    const { tokens, at, layer, first, guess } = this.state;
    const { canvas } = this;
    const seen = at - Math.max(0, first) + 1;
    canvas.setAttribute("aria-label", t("the layers over the text, and what the chosen node sees: left and right choose the character, up and down the layer"));
    canvas.setAttribute("aria-valuemax", String(tokens.length - 1));
    canvas.setAttribute("aria-valuenow", String(at));
    const what = layer ? this.hands.nameOf(layer) : `${t("the guess")} ${spoken(guess.token)} ${percent(guess.probability)}`;
    canvas.setAttribute("aria-valuetext", `${t("step {n}: {character}", { n: at, character: spoken(tokens[at]) })}, ${what}, ${t("{n} characters seen", { n: seen })}`);
  }

  /** The column and the layer, 0 the text or the guess, under the pointer. */
  under(event) {
    const { layers } = this.shape;
    const time = Math.floor((event.offsetX - EDGE * this.scale) / this.column);
    const row = Math.floor((event.offsetY / this.scale - TOP) / ROW);
    const layer = row >= 0 && row < layers ? layers - row : 0;
    return { time: Math.max(0, Math.min(this.state.tokens.length - 1, time)), layer };
  }

  clicked(event) {
    const { time, layer } = this.under(event);
    this.hands.onGo(time, layer === this.shape.layers ? 0 : layer);
  }

  hovered(event) {
    const { time, layer } = this.under(event);
    const { rows, tokens } = this.state;
    const where = t("step {n}: {character}", { n: time, character: mark(tokens[time]) });
    this.canvas.title = layer ? `${this.hands.nameOf(layer)}, ${where}: ${short(rows[layer - 1][time])}` : where;
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { at, layer, tokens } = this.state;
    const { layers } = this.shape;
    const ways = { ArrowLeft: -1, ArrowRight: 1, Home: -1e6, End: 1e6 };
    if (event.key in ways) this.hands.onGo(Math.max(0, Math.min(tokens.length - 1, at + ways[event.key])), layer);
    else if (event.key === "ArrowDown") this.hands.onGo(at, Math.max(1, (layer || layers) - 1));
    else if (event.key === "ArrowUp") this.hands.onGo(at, layer === 0 || layer >= layers - 1 ? 0 : layer + 1);
    else return;
    event.preventDefault();
  }
}
