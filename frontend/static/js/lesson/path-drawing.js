/** Three ways from one place of a text to another, drawn over the same places: chain, tree, one line. */

import { at as px, svg } from "../decoder/svg.js";
import { make, mark, spoken, t } from "../words.js";
import { KERNEL, pathLength, spacing, steps, way } from "./layer-costs.js";

const ROWS = { one: 54, few: 40, many: 13 }; // css px between layers
const FOOT = 30; // for the characters and what is under them
const HEAD = 12;

export class PathDrawing {
  /** @param {string} kind @param {HTMLElement} host @param {(place: number) => void} onPlace */
  constructor(kind, host, onPlace) {
    Object.assign(this, { kind, host });
    this.said = make("p", { class: "tw-said" });
    this.drawing = svg("svg", { class: `tw-drawing of-${kind}`, role: "img" });
    this.drawing.addEventListener("click", (event) => {
      const place = Math.floor((event.clientX - this.drawing.getBoundingClientRect().left) / this.column);
      if (place >= 0 && place < this.characters.length) onPlace(place);
    });
    host.append(make("div", { class: "tw-way" }, this.said, this.drawing));
  }

  /** @param {string[]} characters @param {{from: number, to: number, step: number, dilated: boolean}} state */
  draw(characters, state) {
    const { kind, drawing } = this;
    Object.assign(this, { characters, state });
    const n = characters.length;
    const scale = (this.scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1);
    const width = this.host.clientWidth;
    this.column = width / n;
    this.layers = kind === "convolution" ? steps(kind, n, state.dilated) : 1;
    this.row = this.layers > 6 ? ROWS.many : this.layers > 1 ? ROWS.few : ROWS.one; // on a projector too: there is no more height
    this.foot = FOOT * scale;
    this.height = HEAD * scale + this.layers * this.row + this.foot;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${px(width)} ${px(this.height)}`, width: px(width), height: px(this.height) })) drawing.setAttribute(name, value);
    this.passed = way(kind, state.from, state.to, state.dilated);
    drawing.replaceChildren(...this.lines(), ...this.path(), ...this.nodes(), ...this.letters());
    this.tell();
  }

  x(place) {
    return (place + 0.5) * this.column;
  }

  /** Of a layer; -1 is what is read. */
  y(layer) {
    return this.height - this.foot - (layer + 1) * this.row;
  }

  line(kind, from, a, to, b) {
    return svg("line", { class: kind, x1: px(this.x(from)), y1: px(this.y(a)), x2: px(this.x(to)), y2: px(this.y(b)) });
  }

  /** All that the layer joins; of attention only what comes to the one place. */
  lines() {
    const { kind, state, characters, layers } = this;
    const n = characters.length;
    const found = [];
    if (kind === "attention") {
      for (let place = 0; place < n; place++) found.push(this.line("tw-line", place, -1, state.to, 0));
      return found;
    }
    if (kind === "recurrent") {
      for (let place = 0; place < n; place++) {
        found.push(this.line("tw-line", place, -1, place, 0));
        if (place) found.push(this.line("tw-line", place - 1, 0, place, 0));
      }
      return found;
    }
    const heard = this.heard();
    for (let layer = 0; layer < layers; layer++) {
      for (let place = 0; place < n; place++) {
        for (let k = 0; k < KERNEL; k++) {
          const seen = place - k * spacing(layer, state.dilated);
          if (seen >= 0) found.push(this.line(heard[layer].has(place) ? "tw-line" : "tw-line faint", seen, layer - 1, place, layer));
        }
      }
    }
    return found;
  }

  /** By layer, the places that have a part in what the convolution makes at the place looked at. */
  heard() {
    const { state } = this;
    const top = this.passed.length - 2;
    const found = Array.from({ length: this.layers }, () => new Set());
    found[top].add(state.to);
    for (let layer = top; layer > 0; layer--) {
      for (const place of found[layer]) for (let k = 0; k < KERNEL; k++) found[layer - 1].add(place - k * spacing(layer, state.dilated));
    }
    return found;
  }

  /** Of step or layer k of the path: where it is drawn. */
  level(k) {
    return k === 0 ? -1 : this.kind === "convolution" ? k - 1 : 0;
  }

  path() {
    return this.passed.slice(1).map((place, k) => this.line("tw-path", this.passed[k], this.level(k), place, this.level(k + 1)));
  }

  /** Vectors: filled where they have been worked out after so many steps. */
  nodes() {
    const { kind, state, characters, layers, passed, scale } = this;
    const found = [];
    const r = Math.min((layers > 6 ? 3.2 : 5) * Math.min(scale, layers > 6 ? 1.2 : 2), this.column * 0.32);
    const on = new Set(passed.map((place, k) => `${this.level(k)} ${place}`));
    for (let layer = 0; layer < layers; layer++) {
      for (let place = 0; place < characters.length; place++) {
        const due = kind === "recurrent" ? place + 1 : layer + 1;
        const kinds = ["tw-node", due <= state.step ? "" : "later", on.has(`${layer} ${place}`) ? "on" : ""];
        found.push(svg("circle", { class: kinds.filter(Boolean).join(" "), cx: px(this.x(place)), cy: px(this.y(layer)), r: px(on.has(`${layer} ${place}`) ? r * 1.25 : r) }));
      }
    }
    return found;
  }

  letters() {
    const { state, characters, scale } = this;
    const size = Math.min(15 * scale, this.column * 1.3);
    const base = this.height - this.foot + 8 * scale;
    return characters.flatMap((character, place) => {
      const end = place === state.from || place === state.to;
      const box = { class: "tw-end", x: px(place * this.column + 0.5), y: px(base), width: px(this.column - 1), height: px(20 * scale), rx: 3 };
      const letter = svg("text", { class: `tw-letter${end ? " chosen" : ""}`, x: px(this.x(place)), y: px(base + 15 * scale), "font-size": px(size) }, mark(character));
      return end ? [svg("rect", box), letter] : [letter];
    });
  }

  tell() {
    const { kind, state, characters } = this;
    const path = pathLength(kind, state.to - state.from, state.dilated);
    const all = steps(kind, characters.length, state.dilated);
    const name = make("b", {}, t(`way ${kind}`));
    const place = (at) => t("place {n} ({character})", { n: at, character: spoken(characters[at]) });
    this.said.replaceChildren(name, " ", make("span", { class: "tw-count" }, t("path {n}", { n: path })), " ", make("span", { class: "quiet" }, t("of at most {n}", { n: all })), make("span", { class: "quiet tw-steps" }, t("{done} of {all} steps", { done: Math.min(state.step, all), all })));
    this.drawing.setAttribute("aria-label", `${t(`way ${kind}`)}: ${t("from {from} to {to}, path {n}", { from: place(state.from), to: place(state.to), n: path })}`);
  }
}
