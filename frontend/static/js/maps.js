/** The stack of heat maps: which quantities, of which layer, in which order of units. */

import { HeatMap } from "./heat-map.js";
import { bySimilarity, byVariance } from "./order.js";
import { make, nameOf, t } from "./words.js";
import { layerName } from "./microscope.js";

const HEIGHTS = { low: 72, fit: 128 };

export class Maps {
  /**
   * @param {{bar: HTMLElement, stack: HTMLElement, note: HTMLElement}} hosts
   * @param {{store, axis, layers, onPick, onSave, onChange: () => void, wake: () => void}} options
   */
  constructor(hosts, options) {
    Object.assign(this, hosts, options);
    this.letters = Object.keys(this.layers[0].points);
    this.chosen = [...this.letters];
    this.layer = String(this.layers.length - 1);
    this.orderKind = "index";
    this.heightKind = "fit";
    this.orders = new Map();
    /** @type {Map<string, HeatMap>} */ this.all = new Map();
    this.shown = [];
    this.narrow = matchMedia("(max-width: 760px)");
    this.narrow.addEventListener("change", () => this.arrange());
    this.single = "";
    this.build();
  }

  build() {
    this.chips = new Map();
    const chips = make("div", { class: "chips", role: "group", "aria-label": t("quantities") });
    for (const letter of this.letters) {
      const chip = make(
        "button",
        { class: "chip", type: "button", title: nameOf(letter), "aria-label": `${letter}: ${nameOf(letter)}` },
        make("i", { class: `q q-${letter}` }, letter),
      );
      chip.addEventListener("click", () => this.toggle(letter));
      this.chips.set(letter, chip);
      chips.append(chip);
    }
    this.layerField = this.select(t("layer"), [
      ...this.layers.map((layer, k) => [String(k), layerName(layer)]),
      ...(this.layers.length > 1 ? [["all", t("all layers")]] : []),
    ], (value) => (this.layer = value));
    this.orderField = this.select(t("order of units"), [
      ["index", t("units by index")],
      ["variance", t("units by variance")],
      ["similarity", t("alike units together")],
    ], (value) => this.reorder(value));
    this.heightField = this.select(t("height"), [
      ["fit", t("middling maps")],
      ["low", t("low maps")],
      ["units", t("every unit")],
    ], (value) => (this.heightKind = value));
    this.bar.append(chips, this.layerField, this.orderField, this.heightField);
  }

  select(label, options, choose) {
    const field = make("select", { class: "plain", "aria-label": label }, ...options.map(([value, text]) => make("option", { value }, text)));
    field.addEventListener("change", () => {
      choose(field.value);
      this.arrange();
      this.onChange();
    });
    return field;
  }

  toggle(letter) {
    if (this.narrow.matches) this.single = letter;
    else if (!this.chosen.includes(letter)) this.chosen.push(letter);
    else if (this.chosen.length > 1) this.chosen = this.chosen.filter((other) => other !== letter);
    this.arrange();
    this.onChange();
  }

  /** Take over what the address says. */
  restore({ points, layer, order, height }) {
    const letters = points.split(",").filter((letter) => this.letters.includes(letter));
    if (letters.length) this.chosen = letters;
    if (layer === "all" || this.layers[Number(layer)]) this.layer = layer === "" ? this.layer : layer;
    this.heightKind = height in HEIGHTS || height === "units" ? height : "fit";
    this.orderKind = ["index", "variance", "similarity"].includes(order) ? order : "index";
    this.arrange();
  }

  get points() {
    return this.chosen.join() === this.letters.join() ? "" : this.chosen.join();
  }

  /** Put the maps that are wanted on the page. */
  arrange() {
    const letters = this.narrow.matches ? [this.letters.includes(this.single) ? this.single : this.chosen[0]] : this.chosen;
    const layers = this.layer === "all" ? this.layers : [this.layers[Number(this.layer)]];
    this.layerField.value = this.layer;
    this.orderField.value = this.orderKind;
    this.heightField.value = this.heightKind;
    for (const [letter, chip] of this.chips) chip.setAttribute("aria-pressed", String(letters.includes(letter)));
    this.shown = layers.flatMap((layer) => letters.filter((letter) => layer.points[letter]).map((letter) => this.map(layer.points[letter])));
    for (const map of this.shown) map.arrange(this.heightOf(map.point), this.orders.get(map.point.layer + String(map.point.reverse)) ?? null);
    this.stack.replaceChildren(...this.shown.map((map) => map.element));
    this.note.textContent = this.shown[0]?.density ?? "";
    this.onArranged(this.shown);
  }

  map(point) {
    if (!this.all.has(point.name)) {
      this.all.set(point.name, new HeatMap(point, {
        store: this.store,
        axis: this.axis,
        onPick: this.onPick,
        onFold: () => this.wake(),
        onMove: (map, by) => this.move(map.point.letter, by),
        onSave: this.onSave,
      }));
    }
    return this.all.get(point.name);
  }

  heightOf(point) {
    const scale = document.documentElement.dataset.present === undefined ? 1 : 1.5;
    if (this.heightKind === "units") return point.units * Math.max(1, Math.ceil(96 / point.units)) * scale;
    const height = HEIGHTS[this.heightKind] * scale;
    // Few units: every unit a row of whole pixels.
    return point.units <= height ? point.units * Math.max(1, Math.round(height / point.units)) : height;
  }

  move(letter, by) {
    const at = this.chosen.indexOf(letter);
    const to = at + by;
    if (to < 0 || to >= this.chosen.length) return;
    [this.chosen[at], this.chosen[to]] = [this.chosen[to], this.chosen[at]];
    this.arrange();
    this.onChange();
    this.map(this.shown.find((map) => map.point.letter === letter).point).header.querySelector(".tools button").focus();
  }

  mark(layer, unit) {
    for (const map of this.all.values()) map.unit = map.point.layer === layer.number && map.point.reverse === layer.reverse ? unit : -1;
    for (const map of this.shown) map.tellAt();
  }

  /** Order the units of each layer by what its state does (c where there is one, else h). */
  async reorder(kind) {
    this.orderKind = kind;
    this.orders.clear();
    if (kind === "index" || this.store.length < 2) return this.arrange();
    for (const layer of this.layers) {
      const point = layer.cell ?? layer.points.h;
      const length = this.store.length;
      const order = kind === "variance" ? byVariance(point, length) : await bySimilarity(point, length);
      if (this.orderKind !== kind) return;
      this.orders.set(point.layer + String(point.reverse), order);
    }
    this.arrange();
  }
}
