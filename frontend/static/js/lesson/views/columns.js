/**
 * A network that reads a line of text in a picture: the picture as it sees it, what it says in every
 * column, what is left when repetitions are merged and blanks dropped, and the states and gates of
 * its recurrent layers, all over the same columns.
 *
 * Options: checkpoint; text: what is drawn (default: the network's own); points: letters of the
 * maps, "h,c"; layer; at: the column whose symbols are shown.
 * Values for exercises: at; columns; characters: symbols that were read; probability: of the
 * likeliest at the column.
 */

import { readLine } from "../../api.js";
import { bytesOf, decode, shapeOf } from "../../arrays.js";
import { color, onRestyle } from "../../color.js";
import { HairLines } from "../../hair-lines.js";
import { layersOf } from "../../layers.js";
import { Maps } from "../../maps.js";
import { loadPlotly, plotly } from "../../plotly.js";
import { TimeAxis } from "../../time-axis.js";
import { TraceStore } from "../../trace-store.js";
import { make, mark, pageData, t } from "../../words.js";
import { ready } from "../checkpoint.js";
import { LineStrip } from "../line-strip.js";
import { Desk, bars } from "../reading-desk.js";
import { SymbolStrip } from "../symbol-strip.js";

const COLUMN = [5, 11]; // css px of a column, at least and at most
const USUAL = "Hello, world";
const SHOWN = "h";

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Columns(stage, { text: about.prompt || USUAL, points: SHOWN, layer: "all", at: -1, ...options }, figure, about);
  await view.desk.read();
  return view;
}

class Columns {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, wanted: Number(options.at), own: null });
    this.points = about.points.filter(({ name, axes }) => name.startsWith("rnn.") && axes.join() === "time,unit");
    this.store = new TraceStore();
    this.store.declare(this.points);
    this.layers = layersOf(this.store);
    this.axis = new TimeAxis({ columnWidth: COLUMN[0], calm: matchMedia("(prefers-reduced-motion: reduce)").matches });
    Object.assign(this.axis, { following: false, pinned: true });
    this.build(stage, options);
    this.listen();
  }

  build(stage, options) {
    const { about, axis, store, layers } = this;
    this.desk = new Desk({
      text: options.text, about, examples: about.examples ?? [],
      ask: (text, signal) => this.ask(text, signal),
      show: (answer) => this.arrived(answer),
      onText: (text) => this.typed(text),
    });
    this.desk.field.setAttribute("aria-label", t("the text that is drawn"));
    this.file = make("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif,image/bmp", class: "out-of-sight", tabindex: -1, "aria-hidden": "true" });
    this.button = make("button", { class: "button", type: "button" }, t("a picture of your own"));
    this.desk.field.after(this.button, this.file);
    this.said = make("p", { class: "line-said", role: "status" });
    this.picture = new LineStrip(axis, { height: about.config.height, onGo: (at) => this.go(at) });
    this.symbols = new SymbolStrip(axis, { onGo: (at) => this.go(at) });
    const hosts = { bar: make("div", { class: "maps-bar" }), stack: make("div", { class: "maps" }), note: make("p", { class: "note small" }) };
    this.wide = make("p", { class: "note small", hidden: true }, t("wider than the figure: drag it to the side, or go on with the arrows"));
    this.main = make("div", { class: "network-main" }, this.picture.element, this.symbols.element, this.wide, hosts.bar, hosts.stack, hosts.note);
    this.side = make("div", { class: "network-side columns-side" });
    stage.replaceChildren(this.desk.element, this.said, make("div", { class: "network columns lab-page" }, this.main, this.side));
    this.stage = stage;
    this.maps = new Maps(hosts, {
      store, axis, layers, wake: () => this.wake(),
      onArranged: () => (this.hair?.collect(), this.wake()),
      onPick: (point, at, unit) => this.pick(point, at, unit),
      onSave: () => {},
      onChange: () => (this.figure.keep({ points: this.maps.points || "all", layer: this.maps.layer }), this.wake()),
    });
    this.maps.restore({ points: options.points, layer: String(options.layer), order: "index", height: "fit" });
    this.hair = new HairLines(this.main, axis);
  }

  listen() {
    const { axis, stage } = this;
    for (const type of ["view", "at"]) axis.addEventListener(type, () => this.wake());
    axis.addEventListener("hover", () => this.hair.draw());
    this.button.addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => this.take(this.file.files[0]));
    stage.addEventListener("dragover", (event) => event.preventDefault());
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      this.take(event.dataTransfer.files[0]);
    });
    new ResizeObserver(() => (axis.resize(this.symbols.canvas.clientWidth), this.wake())).observe(this.symbols.canvas);
    onRestyle(() => {
      this.maps.arrange();
      for (const map of this.maps.all.values()) map.scaled = false;
      this.wake();
    });
  }

  // -- what is read ---------------------------------------------------------------------------

  ask(text, signal) {
    const query = new URLSearchParams([...this.points.map(({ name }) => ["points", name]), ["points", "probabilities"]]);
    if (!this.own) query.set("text", text);
    return readLine(this.about.id, query, this.own, signal);
  }

  typed(text) {
    this.own = null;
    this.figure.keep({ text, at: -1 });
  }

  /** Read a picture of the reader's own. */
  take(file) {
    if (!file) return;
    this.own = file;
    this.wanted = -1;
    this.file.value = "";
    this.desk.read();
  }

  arrived(answer) {
    const { store, axis } = this;
    const decoded = Object.fromEntries(Object.entries(answer.points).map(([name, { data }]) => [name, { values: decode(data), units: shapeOf(data)[1] }]));
    const [rows, columns] = shapeOf(answer.picture);
    this.found = { ...answer, probability: decode(answer.probability), chances: decoded.probabilities, pixels: { values: bytesOf(answer.picture.bdata), rows, columns }, centres: decode(answer.centres) };
    store.truncate(0);
    answer.tokens.forEach((token, k) => store.addColumn(token, (name) => decoded[name]?.values.subarray(k * decoded[name].units, (k + 1) * decoded[name].units), { probability: this.found.probability[k] }));
    axis.setLength(store.length);
    axis.offset = 0;
    axis.setAt(this.wanted >= 0 ? Math.min(this.wanted, store.length - 1) : (answer.characters[0]?.start ?? 0));
    for (const raster of this.layers.map((layer) => layer.raster)) raster.clear();
    const text = answer.characters.map(({ symbol }) => symbol).join("");
    this.said.replaceChildren(make("span", { class: "quiet" }, `${t("it reads")} `), text ? make("b", {}, text) : make("span", { class: "quiet" }, t("nothing")));
    this.wake();
  }

  // -- where the reader is --------------------------------------------------------------------

  go(at) {
    this.axis.go(at);
    this.figure.keep({ at: this.axis.at });
    this.wake();
  }

  pick(point, at, unit) {
    this.maps.mark({ number: point.layer, reverse: point.reverse }, unit);
    if (at >= 0) this.go(at);
  }

  values() {
    const { axis, found, store } = this;
    if (!found) return {};
    return { at: axis.at, columns: store.length, characters: found.characters.length, probability: found.probability[axis.at] };
  }

  // -- the picture ----------------------------------------------------------------------------

  wake() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    const { axis, found, store } = this;
    if (!found || !this.symbols.canvas.clientWidth) return;
    axis.resize(this.symbols.canvas.clientWidth);
    this.fit();
    this.picture.draw(found);
    this.symbols.draw(found);
    for (const map of this.maps.shown) {
      map.draw();
      map.tellAt();
    }
    this.hair.draw();
    this.tell();
    this.figure.changed();
    if (store.length) this.scales();
  }

  /** Columns as wide as there is room for. */
  fit() {
    const { axis } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const width = Math.max(COLUMN[0] * scale, Math.min(COLUMN[1] * scale, axis.width / (axis.length + 1.5)));
    const fitted = `${width} ${axis.width} ${axis.length}`;
    if (this.fitted === fitted) return;
    this.fitted = fitted;
    axis.zoom(width, 0);
    this.wide.hidden = axis.length <= axis.visible;
    this.hair.collect();
  }

  /** The column that is looked at: what the network could have said there. */
  tell() {
    const { axis, found } = this;
    const key = `${axis.at} ${found.text} ${color("--paper")}`;
    if (this.told === key) return;
    this.told = key;
    const units = found.chances.units;
    const row = found.chances.values.subarray(axis.at * units, (axis.at + 1) * units);
    const part = found.characters.find(({ start, stop }) => axis.at >= start && axis.at < stop);
    const span = { from: Math.round(found.centres[axis.at]) - 4, to: Math.round(found.centres[axis.at]) + 4 };
    const merged = part && part.stop - part.start > 1 ? [make("p", { class: "note" }, t("columns {from} to {to} say the same: they are merged into one", { from: part.start, to: part.stop - 1 }))] : [];
    this.side.replaceChildren(
      make("h3", {}, t("column {n}", { n: axis.at })),
      make("p", { class: "note" }, t("around the pixels {from} to {to}", span)),
      bars(found.symbols.map((symbol, k) => (k === found.blank ? t("blank") : mark(symbol))), row),
      ...merged,
    );
  }

  /** The axes of units, by Plotly, once it is there. */
  scales() {
    const Plotly = plotly();
    if (Plotly) for (const map of this.maps.shown) map.drawScale(Plotly);
    else loadPlotly(pageData.plotly_url).then(() => this.wake(), () => {});
  }
}
