/**
 * One look in numbers: the query of a token meets the key of another, the sum becomes a score, the
 * row of scores becomes weights, the weights mix the values. Everything is computed here from what
 * the server sent of queries, keys and values, and held against what the network itself has.
 */

import { color, signedRamp } from "../color.js";
import { full, make, percent, short, t } from "../words.js";
import { strongest } from "./head-map.js";
import { labelsFor } from "./labels.js";
import { foremost, gap, given, lookOf, products, rowAt } from "./look.js";
import { RowChart } from "./row-chart.js";
import { UnitStrip } from "./unit-strip.js";

const REST = 90; // ms without another choice before numbers are fetched
const GIVERS = 5; // keys whose values are drawn
const ALIKE = 1e-4; // of the largest number: single against double precision

const number = (value) => make("span", { class: "num", title: full(value) }, short(value));
const sign = (text) => make("span", { class: "sign" }, text);

/** A letter in its colour with its index. */
function letter(name, text, index = "") {
  const node = make("i", { class: `q q-${name}` }, text);
  if (index) node.append(make("sub", {}, index));
  return node;
}

const equation = (...parts) => make("p", { class: "scope-equation", role: "math" }, ...parts.flatMap((part) => [part, " "]));

export class Microscope {
  /**
   * @param {HTMLElement} host @param {import("./store.js").Store} store
   * @param {import("./head-map.js").HeadMap} map
   */
  constructor(host, store, map) {
    Object.assign(this, { host, store, map });
    this.unit = -1; // pointed at
    this.pinned = -1; // typed in
    /** @type {import("./look.js").Look|null} */ this.look = null;
    this.build();
    for (const type of ["read", "select"]) store.addEventListener(type, () => this.changed());
    store.addEventListener("restyle", () => this.wake());
    store.addEventListener("hover", () => this.wake(true));
    new ResizeObserver(() => this.wake()).observe(host);
  }

  build() {
    const { store } = this;
    const onUnit = (unit) => {
      if (unit === this.unit) return;
      this.unit = unit;
      this.wake();
    };
    this.asked = make("p", { class: "scope-asked" });
    this.strips = { q: new UnitStrip("cells", 22, onUnit), k: new UnitStrip("cells", 22, onUnit), products: new UnitStrip("bars", 52, onUnit), z: new UnitStrip("cells", 22, onUnit) };
    this.givers = Array.from({ length: GIVERS }, () => new UnitStrip("cells", 18, onUnit));
    this.chart = new RowChart({
      onPoint: (key) => store.hoverAt(key < 0 ? -1 : store.query, key),
      onChoose: (key) => store.set({ key }),
    });
    this.field = make("input", { type: "number", class: "field num", min: "0", step: "1", "aria-label": t("unit") });
    this.field.addEventListener("input", () => {
      this.pinned = this.field.value === "" ? -1 : Math.round(Number(this.field.value));
      this.wake();
    });
    const line = (strip, label) => {
      const value = make("span", { class: "scope-value" });
      const name = make("span", { class: "scope-name" }, ...label);
      return { name, value, element: make("div", { class: "scope-line" }, name, strip.canvas, value) };
    };
    this.lines = {
      q: line(this.strips.q, []), k: line(this.strips.k, []), products: line(this.strips.products, [letter("query", "q", "iu"), sign("·"), letter("key", "k", "ju")]),
      z: line(this.strips.z, [letter("value", "z", "i")]), givers: this.givers.map((strip) => line(strip, [])),
    };
    this.parts = ["fit", "weigh", "give"].map((name, k) => {
      const words = make("div", { class: "scope-words" });
      const readout = make("output", { class: "scope-unit num" });
      const pictures = make("div", { class: "scope-pictures" });
      const bar = make("span", { class: "scale" });
      return { name, words, readout, pictures, bar, element: make("section", { class: `scope-part ${name}` }, make("div", { class: "scope-side" }, make("h3", {}, `${k + 1}. ${t(`scope ${name}`)}`), words), pictures) };
    });
    const [fitting, weighing, giving] = this.parts;
    const pick = make("label", { class: "pick" }, t("unit"), " ", this.field);
    fitting.pictures.append(this.lines.q.element, this.lines.k.element, this.lines.products.element, make("div", { class: "scope-foot" }, fitting.bar, pick, fitting.readout));
    const sides = make("span", { class: "scope-name sides" }, letter("attention", "e", "ij"), letter("attention", "α", "ij"));
    weighing.pictures.append(make("div", { class: "scope-line" }, sides, this.chart.canvas));
    giving.pictures.append(...this.lines.givers.map(({ element }) => element), this.lines.z.element, make("div", { class: "scope-foot" }, giving.bar, giving.readout));
    this.host.append(this.asked, ...this.parts.map(({ element }) => element));
  }

  /** What is asked of the server for a row. */
  get wanted() {
    const { store } = this;
    const { head } = store.state;
    const { query } = store;
    const shared = { head: store.keyHead(head) };
    const row = (quantity) => ({ point: store.point(quantity, store.state.layer), at: { head, query } });
    const all = (quantity) => ({ point: store.point(quantity, store.state.layer), at: shared });
    return [row("q"), all("k"), all("v"), row("scores"), row("attention"), row("heads")];
  }

  /** Names the row that is chosen. */
  get name() {
    return JSON.stringify([this.store.reading.key, this.wanted]);
  }

  changed() {
    clearTimeout(this.timer);
    const { store } = this;
    if (!store.reading || store.query < 0) return this.take(null);
    const found = store.here(this.wanted);
    if (found) return this.take(found);
    this.host.classList.add("stale");
    this.timer = setTimeout(async () => {
      const { name } = this;
      const came = await store.slices(this.wanted, this);
      if (came && name === this.name) this.take(came);
    }, REST);
  }

  take(found) {
    this.host.classList.remove("stale");
    this.host.hidden = !found;
    this.look = null;
    if (found) {
      const { query } = this.store;
      const [q, k, v, scores, attention, z] = found.map(({ data }) => data);
      this.look = lookOf(q, k, v, (key) => this.map.allowed(query, key));
      this.told = { scores, attention, z };
      this.of = this.name;
    }
    this.wake();
  }

  /** @param {boolean} [slight]  only what lies under the pointer has changed */
  wake(slight = false) {
    this.whole ||= !slight;
    this.frame ??= requestAnimationFrame(() => {
      const { whole } = this;
      this.frame = null;
      this.whole = false;
      if (!this.look || !this.store.reading || this.of !== this.name) return;
      if (whole) this.draw();
      else this.chartRow(this.key);
    });
  }

  /** The key that is shown: the chosen one, else the one looked at most. */
  get key() {
    const { look, store } = this;
    const { key } = store.state;
    return key >= 0 && key < look.keys ? key : strongest(look.weights);
  }

  draw() {
    const { look, store, host } = this;
    if (!host.clientWidth) return;
    const { query } = store;
    const j = this.key;
    this.scale = parseFloat(color("--scale")) || 1;
    this.labels = { queries: labelsFor(store, "query"), keys: labelsFor(store, "key") };
    this.field.max = String(look.units - 1);
    this.width = Math.max(120, this.lines.q.element.clientWidth - this.side);
    const unit = this.unit >= 0 ? this.unit : Math.min(this.pinned, look.units - 1);
    this.asks(query, j);
    this.fits(query, j, unit);
    this.weighs(j);
    this.gives(query, j, unit);
  }

  /** Room that names and values beside the strips take. */
  get side() {
    const style = getComputedStyle(this.lines.q.element);
    const [name, , value] = style.gridTemplateColumns.split(" ").map(parseFloat);
    return name + value + 2 * parseFloat(style.columnGap);
  }

  asks(i, j) {
    const { store, labels, look } = this;
    const { layer, head } = store.state;
    this.asked.replaceChildren(
      make("b", { class: "q-query" }, t("quoted {word}", { word: labels.queries[i] })), ` ${t("looks at")} `, make("b", { class: "q-key" }, t("quoted {word}", { word: labels.keys[j] })),
      make("span", { class: "quiet" }, ` · ${t("layer {layer}, head {head}", { layer, head }).toLocaleLowerCase()} · `), make("span", { class: "num" }, percent(look.weights[j])),
      ...(store.state.key < 0 ? [make("span", { class: "note" }, ` ${t("the one it looks at most")}`)] : []),
    );
  }

  // 1. query and key

  fits(i, j, unit) {
    const { look, labels, lines, strips, width, scale, told } = this;
    const [part] = this.parts;
    const k = rowAt(look.k, j, look.units);
    const each = products(look, j);
    const limit = largestOf(look.q, k);
    const bars = largestOf(each);
    strips.q.draw(look.q, limit, unit, width, scale);
    strips.k.draw(k, limit, unit, width, scale);
    strips.products.draw(each, bars, unit, width, scale);
    lines.q.name.replaceChildren(letter("query", "q", "i"), make("span", { class: "piece" }, labels.queries[i]));
    lines.k.name.replaceChildren(letter("key", "k", "j"), make("span", { class: "piece" }, labels.keys[j]));
    lines.products.value.replaceChildren("Σ ", number(look.dots[j]));
    this.legend(part.bar, limit);
    part.readout.textContent = unit < 0 ? "" : `${letters(look.q[unit])} · ${letters(k[unit])} = ${short(each[unit])}`;
    const masked = look.scores[j] === -Infinity;
    part.words.replaceChildren(
      equation(letter("attention", "e", "ij"), sign("="), letter("query", "q", "i"), sign("·"), letter("key", "k", "j"), sign("/"), "√", make("i", { class: "q" }, "d")),
      equation(sign("="), number(look.dots[j]), sign("/"), `√${look.units}`, sign("="), number(look.dots[j] / Math.sqrt(look.units))),
      ...(masked ? [make("p", { class: "note" }, this.why(i, j), " ", letter("attention", "e", "ij"), " = −∞")] : []),
      this.agree([look.scores[j]], [told.scores[j]]),
    );
  }

  why(i, j) {
    return this.store.causal() && j > i ? t("A token may not look at later ones:") : t("This look is forbidden by your mask:");
  }

  // 2. softmax

  chartRow(j) {
    const { look, labels, store, scale, width } = this;
    const { hover, query } = store;
    const over = hover.query < 0 || hover.query === query ? hover.key : -1;
    if (labels) this.chart.draw(look, labels.keys, { key: j, over, width, scale });
  }

  weighs(j) {
    const { look, told } = this;
    const [, part] = this.parts;
    this.chartRow(j);
    const e = () => letter("attention", "e", "ij");
    const max = Number.isFinite(look.largest);
    part.words.replaceChildren(
      equation(letter("attention", "α", "ij"), sign("="), "exp(", e(), sign("−"), "max)", sign("/"), "Σ"),
      ...(max && look.scores[j] !== -Infinity ? [
        equation(sign("="), "exp(", number(look.scores[j]), sign("−"), number(look.largest), ")", sign("/"), number(look.sum)),
        equation(sign("="), number(look.raised[j]), sign("/"), number(look.sum), sign("="), number(look.weights[j])),
      ] : [equation(sign("="), number(0))]),
      this.agree(look.weights, told.attention),
    );
  }

  // 3. the weighted sum

  gives(i, j, unit) {
    const { look, labels, lines, strips, width, scale, told, store } = this;
    const [, , part] = this.parts;
    const shown = foremost(look.weights, GIVERS, j);
    const limit = largestOf(look.z, ...shown.map((key) => given(look, key)));
    lines.givers.forEach(({ element, name, value }, n) => {
      const key = shown[n];
      element.hidden = key === undefined;
      if (element.hidden) return;
      this.givers[n].draw(given(look, key), limit, unit, width, scale);
      name.replaceChildren(letter("attention", "α"), sign("·"), letter("value", "v"), make("span", { class: key === j ? "piece q-key" : "piece" }, labels.keys[key]));
      value.replaceChildren(make("span", { class: "num", title: full(look.weights[key]) }, percent(look.weights[key])));
    });
    strips.z.draw(look.z, limit, unit, width, scale);
    const others = look.weights.reduce((count, weight) => count + (weight > 0), 0) - shown.filter((key) => look.weights[key] > 0).length;
    lines.z.value.replaceChildren(others > 0 ? t("with {n} others", { n: others }) : "");
    this.legend(part.bar, limit);
    part.readout.textContent = unit < 0 ? "" : `z = ${short(look.z[unit])}`;
    const { layer, head } = store.state;
    const off = store.isOff(layer, head);
    const shared = store.about.config.num_kv_heads ? store.heads / store.about.config.num_kv_heads : 1;
    part.words.replaceChildren(
      equation(letter("value", "z", "i"), sign("="), make("span", {}, "Σ", make("sub", {}, "j")), letter("attention", "α", "ij"), letter("value", "v", "j")),
      off ? make("p", { class: "note" }, t("This head is switched off: zeros are handed on instead.")) : this.agree(look.z, told.z),
      ...(shared > 1 ? [make("p", { class: "note small" }, t("{n} heads share these keys and values.", { n: shared }))] : []),
    );
  }

  /** The bar of signed values with its limits. */
  legend(host, limit) {
    const ramp = signedRamp();
    const stops = Array.from({ length: 17 }, (_, k) => ramp.css[Math.round((k * 255) / 16)]);
    const bar = make("span", { class: "bar" });
    bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
    host.replaceChildren(make("span", { class: "num" }, short(-limit)), bar, make("span", { class: "num" }, short(limit)));
  }

  /** Do our numbers and the network's agree? */
  agree(own, told) {
    const size = Math.max(1, ...Array.from(told, Math.abs).filter(Number.isFinite));
    const apart = gap(own, told);
    const good = apart <= ALIKE * size;
    const text = good
      ? t("the network has the same, to {gap}", { gap: apart === 0 ? "0" : apart.toExponential(0).replace("e-", "e−") })
      : t("the network has {value}: {gap} apart", { value: short(told[0]), gap: short(apart) });
    return make("p", { class: good ? "agree" : "agree not" }, text);
  }
}

function letters(value) {
  return value < 0 ? `(${short(value)})` : short(value);
}

/** The farthest from zero. */
function largestOf(...rows) {
  let most = 0;
  for (const row of rows) for (const value of row) most = Math.max(most, Math.abs(value));
  return most;
}
