/**
 * All heads at once: a row a layer, a column a head, each a small map of where it looks (queries
 * down, keys across), on one canvas. Weights come as bytes of their square roots, pooled by the
 * largest to about as many cells as there are pixels.
 */

import { attentionRamp, color } from "../color.js";
import { hatch, sharpen } from "../raster.js";
import { make, percent, t } from "../words.js";
import { habitOf } from "./habits.js";
import { mapImage } from "./map-image.js";

const GAP = 2; // css px between maps
const TOP = 18; // for the numbers of heads
const SIDE = 22; // for those of layers
const CELL = [22, 64]; // smallest and largest map
const LENS = 176; // of the enlarged map
const IDLE = 250; // ms before the other stacks are fetched
const DWELL = 70; // ms of rest on a head before its map is fetched

export class Heads {
  /**
   * @param {HTMLElement} host @param {import("./store.js").Store} store
   * @param {import("./head-map.js").HeadMap} map
   */
  constructor(host, store, map) {
    Object.assign(this, { host, store, map });
    this.over = null; // [layer, head] under the pointer or the keys
    this.canvas = make("canvas", { class: "heads-cells", tabindex: "0", role: "application", "aria-label": t("All heads: a row a layer, a column a head. Arrow keys move, Enter opens one.") });
    this.big = make("canvas", { class: "heads-big" });
    this.words = make("p", { class: "heads-words", "aria-live": "polite" });
    this.name = make("p", { class: "heads-name" });
    this.lens = make("div", { class: "heads-lens", "aria-hidden": "true" }, this.big, this.name);
    this.lens.hidden = true;
    this.scale = make("span", { class: "scale" }, make("span", { class: "num" }, "0"), (this.bar = make("span", { class: "bar" })), make("span", { class: "num" }, "1"));
    host.append(make("div", { class: "heads-body" }, this.canvas, this.lens), make("div", { class: "heads-foot" }, this.scale, this.words, make("a", { class: "to-head", href: "#head-title" }, `${t("to this head")} ↓`)));
    store.expect(() => [this.slice]);
    store.addEventListener("read", () => this.fetch());
    for (const type of ["select", "edit", "restyle"]) store.addEventListener(type, () => this.changed());
    this.listen();
    this.measure();
  }

  listen() {
    const { canvas, store } = this;
    canvas.addEventListener("pointermove", (event) => this.point(this.at(event.offsetX, event.offsetY), event.pointerType === "touch"));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("blur", () => this.point(null));
    canvas.addEventListener("click", (event) => {
      const place = this.at(event.offsetX, event.offsetY);
      if (place) store.set({ layer: place[0], head: place[1] });
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      this.measure();
      this.fetch();
    });
  }

  key(event) {
    const { store } = this;
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const [layer, head] = this.over ?? [store.state.layer, store.state.head];
    if (by && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
      this.point([clamp(layer + by[0], store.layers()), clamp(head + by[1], store.heads)]);
    } else if (event.key === "Enter" || event.key === " ") store.set({ layer, head });
    else if (event.key === "Escape" && this.over) this.point(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** How large a map is: what the page has room for. */
  measure() {
    const { store, host } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const L = Math.max(...store.stacks.map((stack) => store.layers(stack)));
    const bench = host.closest(".stage").clientWidth || innerWidth;
    const narrow = innerWidth <= 860;
    const presenting = document.documentElement.dataset.present !== undefined;
    const room = (narrow || presenting ? bench : Math.min(480, bench * 0.33)) - SIDE * scale;
    const high = Math.max(narrow ? 720 : 400, innerHeight - (presenting ? 220 : 320));
    this.cell = Math.floor(Math.max(CELL[0], Math.min(CELL[1] * scale * (presenting ? 1.4 : 1), room / store.heads, high / L)));
    this.zoom = scale;
    const width = Math.ceil(SIDE * scale + this.cell * store.heads);
    host.closest(".trio")?.style.setProperty("--heads", `${Math.max(narrow ? 0 : 264, width)}px`);
    this.canvas.style.width = `${width}px`;
  }

  /** What is fetched: about a cell a pixel of the screen. */
  get slice() {
    return this.sliceOf(this.store.state.stack);
  }

  sliceOf(stack) {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const size = Math.max(16, Math.min(64, 8 * Math.ceil(((this.cell - GAP) * ratio) / 8)));
    return { point: this.store.point("attention", "*", stack), form: "u1", size };
  }

  async fetch() {
    const { store, slice } = this;
    if (!store.reading) return this.take(null);
    const [maps] = store.here([slice]) ?? (await store.slices([slice], this)) ?? [];
    if (maps && slice.point === this.slice.point) this.take(maps);
  }

  take(maps) {
    this.maps = maps;
    this.image = null;
    this.wake();
    clearTimeout(this.idle);
    if (maps) this.idle = setTimeout(() => this.others(), IDLE);
  }

  /** The heads of the other stacks, so that a tab opens at once. */
  others() {
    const { store } = this;
    const wanted = store.stacks.map((stack) => this.sliceOf(stack)).filter((slice) => !store.here([slice]));
    if (wanted.length && store.reading) store.slices(wanted);
  }

  changed() {
    if (document.documentElement.dataset.present !== this.presented) {
      this.presented = document.documentElement.dataset.present;
      this.measure();
    }
    if (this.maps && this.maps.point !== this.slice.point) {
      this.maps = this.image = null; // of another stack
      this.fetch();
    }
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  // Where maps lie.

  x(head) {
    return SIDE * this.zoom + head * this.cell;
  }

  y(layer) {
    return TOP * this.zoom + layer * this.cell;
  }

  at(x, y) {
    const head = Math.floor((x - this.x(0)) / this.cell);
    const layer = Math.floor((y - this.y(0)) / this.cell);
    return head >= 0 && head < this.store.heads && layer >= 0 && layer < this.store.layers() ? [layer, head] : null;
  }

  /** @param {[number, number]|null} place @param {boolean} [touch]  a finger covers what would be enlarged */
  point(place, touch = false) {
    if (place?.join() === this.over?.join()) return;
    this.over = place;
    this.touch = touch;
    clearTimeout(this.timer);
    if (place) this.timer = setTimeout(() => this.ahead(place), DWELL);
    this.wake();
  }

  ahead([layer, head]) {
    const { store, map } = this;
    const wanted = [map.whole({ ...store.state, layer, head })];
    if (store.reading && !store.here(wanted)) store.slices(wanted);
  }

  // Drawing.

  draw() {
    const { store, canvas, cell, maps, zoom } = this;
    const [L, H] = [store.layers(), store.heads];
    const width = Math.ceil(this.x(H));
    const height = Math.ceil(this.y(L));
    canvas.style.height = `${height}px`;
    const { context, ratio } = sharpen(canvas, width, height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const ramp = attentionRamp();
    if (this.ramp !== ramp) this.image = null;
    const side = cell - GAP;
    const [, , rows, columns] = maps?.shape ?? [];
    if (maps && !this.image) {
      this.image = mapImage(maps.data, columns, L * H * rows, ramp.table, this.image);
      this.ramp = ramp;
    }
    context.imageSmoothingEnabled = columns > side * ratio;
    for (let l = 0; l < L; l++) {
      for (let h = 0; h < H; h++) {
        const [x, y] = [this.x(h), this.y(l)];
        context.fillStyle = ramp.css[0];
        context.fillRect(x, y, side, side);
        if (maps) context.drawImage(this.image, 0, (l * H + h) * rows, columns, rows, x, y, side, side);
        if (store.isOff(l, h)) this.struck(context, x, y, side);
      }
    }
    this.numbers(context, L, H);
    const frame = ([l, h], ink, dash, wide) => {
      context.strokeStyle = ink;
      context.lineWidth = wide * zoom;
      context.setLineDash(dash);
      context.strokeRect(this.x(h) - 1, this.y(l) - 1, side + 2, side + 2);
      context.setLineDash([]);
    };
    frame([store.state.layer, store.state.head], color("--ink"), [], 2);
    if (this.over) frame(this.over, color("--accent"), [3, 2], 1.5);
    this.enlarge(ramp);
    this.legend(ramp);
  }

  /** A head that is switched off. */
  struck(context, x, y, side) {
    context.globalAlpha = 0.75;
    context.fillStyle = color("--paper");
    context.fillRect(x, y, side, side);
    context.globalAlpha = 1;
    hatch(context, x, y, side, side, color("--ink-3"));
  }

  numbers(context, L, H) {
    const { store, cell, zoom } = this;
    const { layer, head } = store.state;
    context.textBaseline = "middle";
    const write = (text, x, y, strong) => {
      context.font = `${strong ? 640 : 440} ${10.5 * zoom}px ${color("--mono")}`;
      context.fillStyle = color(strong ? "--ink" : "--ink-3");
      context.fillText(text, x, y);
    };
    context.textAlign = "center";
    for (let h = 0; h < H; h++) write(String(h), this.x(h) + (cell - GAP) / 2, (TOP * zoom) / 2, h === head);
    context.textAlign = "right";
    for (let l = 0; l < L; l++) write(String(l), this.x(0) - 6 * zoom, this.y(l) + (cell - GAP) / 2, l === layer);
  }

  /** The head under the pointer, larger, beside its place. */
  enlarge(ramp) {
    const { over, lens, maps, store, words } = this;
    const { layer, head } = store.state;
    const [l, h] = over ?? [layer, head];
    const said = this.describe(l, h);
    if (words.textContent !== said) words.textContent = said;
    lens.hidden = !over || !maps || this.touch;
    if (lens.hidden) return;
    this.name.textContent = said;
    const size = LENS * this.zoom;
    this.name.style.width = `${size}px`;
    const [, H, rows, columns] = maps.shape;
    const { context, ratio } = sharpen(this.big, size, size);
    context.imageSmoothingEnabled = false;
    context.fillStyle = ramp.css[0];
    context.fillRect(0, 0, size * ratio, size * ratio);
    context.drawImage(this.image, 0, (l * H + h) * rows, columns, rows, 0, 0, size * ratio, size * ratio);
    Object.assign(this.big.style, { width: `${size}px`, height: `${size}px` });
    const right = this.x(h) + this.cell + 8;
    const room = document.documentElement.clientWidth - this.canvas.getBoundingClientRect().left;
    const x = right + size + 12 <= room ? right : Math.max(0, this.x(h) - size - 16);
    const y = Math.max(0, Math.min(this.y(l) + this.cell / 2 - size / 2, this.canvas.clientHeight - size - 24 * this.zoom));
    lens.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  /** A head in words: where most of its weight lies, if it has such a habit. */
  describe(layer, head) {
    const { maps, store } = this;
    const name = t("layer {layer}, head {head}", { layer, head });
    if (store.isOff(layer, head)) return `${name}: ${t("switched off")}`;
    if (!maps || maps.pooled > 1) return name;
    const [, H, rows, columns] = maps.shape;
    const from = (layer * H + head) * rows * columns;
    const habit = habitOf(maps.data.subarray(from, from + rows * columns), rows, columns, store.state.stack === "cross");
    return habit ? `${name}: ${t(`habit ${habit.name}`, { share: percent(habit.share) })}` : name;
  }

  legend(ramp) {
    if (this.told === ramp) return;
    this.told = ramp;
    // The bar is of weights: the colour of w is that of its square root.
    const stops = Array.from({ length: 17 }, (_, k) => ramp.css[Math.round(255 * Math.sqrt(k / 16))]);
    this.bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
  }
}
