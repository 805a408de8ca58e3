/**
 * Networks over one text: a row a network, in columns that are the text's, each character coloured by
 * how much it surprised. One line that scrolls, or lines that break as a page does.
 *
 * It is a slider: Left and Right move the chosen character, Up and Down a line where there are many.
 */

import { color, inkOn, sequential } from "./color.js";
import { make, mark, spoken, t } from "./words.js";

const BACK = 14; // columns that a line may end early, to end behind a word

export class SurpriseRows {
  /**
   * @param {object} options
   * @param {string} options.className of the rows, beside `cells-rows`
   * @param {boolean} [options.wrap] lines break at the width that there is
   * @param {(at: number) => void} options.onGo
   * @param {(at: number) => void} [options.onHover] -1: nowhere
   */
  constructor({ className = "", wrap = false, onGo, onHover = () => {} }) {
    Object.assign(this, { wrap, onGo, at: -1, length: 0, lines: [], columns: [] });
    this.node = make("div", { class: `cells-rows ${className}`.trim(), tabindex: "0", role: "slider", "aria-label": t("current character") });
    const place = (event) => Number(event.target.closest?.("[data-t]")?.dataset.t ?? -1);
    this.node.addEventListener("click", (event) => place(event) >= 0 && onGo(place(event)));
    this.node.addEventListener("pointerover", (event) => onHover(place(event)));
    this.node.addEventListener("pointerleave", () => onHover(-1));
    this.node.addEventListener("keydown", (event) => {
      const { at } = this;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 1, End: this.length - 1, ArrowUp: this.beside(-1), ArrowDown: this.beside(1) }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      onGo(Math.max(1, Math.min(this.length - 1, to)));
    });
  }

  /** The same column of another line. */
  beside(by) {
    const line = this.lines.findIndex(([from, to]) => this.at >= from && this.at < to);
    const other = this.lines[line + by];
    if (!this.wrap || !other) return undefined;
    return Math.min(other[1] - 1, other[0] + this.at - this.lines[line][0]);
  }

  /**
   * @param {object} found
   * @param {string[]} found.tokens @param {string} found.text
   * @param {{name: string, head?: Node, label: string, values: ArrayLike<number>, title: (at: number) => string}[]} found.rows
   *   NaN has no colour
   * @param {number} found.full the value at the deep end of the colours @param {number} found.at
   */
  draw({ tokens, text, rows, full, at }) {
    const { ramp } = surpriseScale();
    Object.assign(this, { tokens, length: tokens.length });
    this.lines = this.wrap ? broken(tokens, this.fits()) : [[0, tokens.length]];
    this.columns = tokens.map(() => []);
    const cell = (step, extra = {}) => {
      const node = make("span", { "data-t": String(step), ...extra }, mark(tokens[step]));
      this.columns[step].push(node);
      return node;
    };
    const line = (head, label, from, to, make1) => {
      const steps = Array.from({ length: to - from }, (_, k) => from + k);
      return make("div", { class: "cells-row", role: "img", "aria-label": label }, make("b", {}, head), ...steps.map(make1));
    };
    const blocks = this.lines.map(([from, to]) => [
      line("", text.slice(from, to), from, to, (step) => cell(step)),
      ...rows.map(({ name, head, label, values, title }) =>
        line(head ? head.cloneNode(true) : name, label, from, to, (step) => {
          const value = values[step];
          const node = cell(step, { title: step ? `${name}, ${spoken(tokens[step])}: ${title(step)}` : "" });
          if (!step) return node;
          const shade = ramp[Math.round(255 * Math.max(0, Math.min(1, (Number.isNaN(value) ? 0 : value) / full)))];
          Object.assign(node.style, { background: shade, color: inkOn(shade) });
          return node;
        }),
      ),
    ]);
    this.node.replaceChildren(...(this.wrap ? blocks.map((block) => make("div", { class: "cells-block" }, ...block)) : blocks.flat()));
    this.show(at);
  }

  /** Mark the chosen character. */
  show(at) {
    for (const node of this.columns[this.at] ?? []) node.classList.remove("cells-at");
    this.at = at;
    const here = this.columns[at] ?? [];
    for (const node of here) node.classList.add("cells-at");
    const words = `${t("step {n}", { n: at })}, ${spoken(this.tokens[at] ?? "")}`;
    for (const [name, value] of [["min", 1], ["max", this.length - 1], ["now", at], ["text", words]]) this.node.setAttribute(`aria-value${name}`, String(value));
  }

  /** Columns that fit beside the names. */
  fits() {
    const probe = make("div", { class: "cells-row" }, make("b", {}, ""), make("span", { "data-t": "-1" }, "m"));
    this.node.append(probe);
    const [name, one] = Array.from(probe.children, (child) => child.getBoundingClientRect().width);
    probe.remove();
    const room = this.node.parentElement?.clientWidth ?? 0;
    return Math.max(12, Math.floor((room - name) / (one || 1)));
  }
}

/** Where lines begin and end: behind a word, else where there is no more room. */
export function broken(tokens, columns) {
  const lines = [];
  let from = 0;
  while (from < tokens.length) {
    let to = Math.min(tokens.length, from + columns);
    for (let back = to; to < tokens.length && back > Math.max(from, to - BACK); back--) {
      if (!/\s/.test(tokens[back - 1])) continue;
      to = back;
      break;
    }
    lines.push([from, to]);
    from = to;
  }
  return lines;
}

/** The colours of surprise, as a ramp and as a bar with its two ends written beside it. */
export function surpriseScale() {
  const ramp = sequential(color("--signed-high")).css;
  const bar = () => {
    const node = make("i", { class: "cells-ramp" });
    node.style.background = `linear-gradient(90deg, ${[0, 64, 128, 192, 255].map((k) => ramp[k]).join(", ")})`;
    return node;
  };
  return { ramp, bar };
}
