/**
 * The text as the ruler of the time axis: one column a character, blanks as visible marks, the
 * current step boxed, written characters underlined. A slider to the keyboard and to listeners.
 */

import { color, inkOn } from "./color.js";
import { sharpen } from "./raster.js";
import { gestures } from "./time-axis.js";
import { fit, make, mark, percent, spoken, t } from "./words.js";

const HEIGHT = 46;

export class TextRuler {
  /**
   * @param {HTMLElement} host @param {import("./time-axis.js").TimeAxis} axis
   * @param {{store: any, tint: (t: number) => string|null, onGo: Function, onType: Function}} options
   */
  constructor(host, axis, { store, tint, onGo, onType, label = "", words = false }) {
    Object.assign(this, { axis, store, tint, onType, words });
    this.canvas = make("canvas", {
      class: "plot",
      tabindex: "0",
      role: "slider",
      "aria-label": label || t("current character"),
      "aria-orientation": "horizontal",
      "aria-valuenow": "0",
      "aria-valuemin": "0",
    });
    this.edit = make("input", {
      class: "type-over",
      maxlength: words ? "40" : "1",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-label": t("type another character here"),
      hidden: true,
    });
    host.append(this.canvas, this.edit);
    gestures(this.canvas, axis, (at) => {
      onGo(at);
      this.canvas.focus({ preventScroll: true });
    });
    this.canvas.addEventListener("dblclick", (event) => this.open(axis.columnAt(event.offsetX)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.edit.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter") this.enter(event.shiftKey);
    });
    if (!words) this.edit.addEventListener("input", () => this.edit.value && this.commit(this.edit.value));
    this.edit.addEventListener("blur", () => this.close());
  }

  get scale() {
    return parseFloat(color("--scale")) || 1;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      this.open(this.axis.at);
    } else if (/^[\p{L}\p{N}]$/u.test(event.key)) {
      if (this.words) this.open(this.axis.at, event.key);
      else this.onType(this.axis.at, event.key);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** An input over column t. */
  open(at, value = "") {
    if (at < 0) return;
    this.typing = at;
    this.edit.hidden = false;
    this.edit.value = value;
    const width = Math.max(this.words ? 90 : 18, this.axis.columnWidth);
    this.edit.style.left = `${this.axis.x(at) + this.axis.columnWidth / 2 - width / 2}px`;
    this.edit.style.width = `${width}px`;
    this.edit.focus();
  }

  close() {
    this.edit.hidden = true;
  }

  /** Enter alone is a line break, where single characters are read. */
  enter(shifted) {
    const { value } = this.edit;
    if (this.words) return value.trim() ? this.commit(`${value.trim()} `) : this.close();
    this.commit(shifted ? "\n" : value || "\n");
  }

  commit(character) {
    const at = this.typing;
    this.close();
    this.canvas.focus({ preventScroll: true });
    this.onType(at, character);
  }

  draw() {
    const { axis, store, scale } = this;
    const height = HEIGHT * scale;
    this.canvas.style.height = `${height}px`;
    const { context, ratio } = sharpen(this.canvas, axis.width, height);
    context.scale(ratio, ratio);
    const [from, to] = axis.window;
    const w = axis.columnWidth;
    const size = Math.min((this.words ? 13 : 17) * scale, w * 1.35);
    const legible = w >= (this.words ? 24 : 6);
    const top = 15 * scale;
    const box = height - top - 3;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.numbers(context, from, to, scale);
    for (let k = from; k < Math.min(to, store.length); k++) {
      const x = axis.x(k);
      const tint = this.tint(k);
      const column = store.columns[k];
      if (tint) {
        context.fillStyle = tint;
        context.fillRect(Math.round(x), top, Math.ceil(w), box);
      }
      if (!legible) continue;
      const blank = !column.token.trim();
      context.font = `${column.prefix ? 560 : 420} ${size}px "JetBrains Mono", monospace`;
      context.fillStyle = tint ? inkOn(tint) : color(blank ? "--ink-3" : "--ink");
      context.globalAlpha = blank ? 0.6 : 1;
      const shown = mark(column.token);
      context.fillText(shown.length > 1 ? fit(context, shown, w - 3) : shown, x + w / 2, top + box / 2);
      context.globalAlpha = 1;
      if (column.prefix) {
        context.fillStyle = color("--ink");
        context.fillRect(x, height - 2, w, 2);
      }
    }
    if (axis.at >= from && axis.at < to) {
      context.strokeStyle = color("--ink");
      context.lineWidth = 1.5 * scale;
      context.strokeRect(axis.x(axis.at) + 0.75, top - 1, Math.max(2, w - 1.5), box + 2);
    }
  }

  numbers(context, from, to, scale) {
    const { axis } = this;
    const gap = [5, 10, 20, 50, 100, 200, 500].find((n) => n * axis.columnWidth >= 54 * scale) ?? 1000;
    context.font = `${10.5 * scale}px "JetBrains Mono", monospace`;
    context.fillStyle = color("--ink-3");
    for (let k = Math.ceil(from / gap) * gap; k < to; k += gap) {
      context.fillText(String(k), axis.x(k) + axis.columnWidth / 2, 6 * scale);
    }
  }

  /** Tell listeners where the current step is. */
  announce() {
    const { axis, store, canvas } = this;
    const column = store.columns[axis.at];
    canvas.setAttribute("aria-valuemax", Math.max(0, store.length - 1));
    canvas.setAttribute("aria-valuenow", Math.max(0, axis.at));
    if (!column) return;
    const sure = column.probability === null ? "" : `, ${percent(column.probability)}`;
    canvas.setAttribute("aria-valuetext", `${t("step {n}", { n: axis.at })}: ${spoken(column.token)}${sure}`);
  }
}
