/**
 * A recurrent network reading a text: the lab's own views, those that the lesson asks for.
 *
 * Options: checkpoint; text; show: some of graph, maps, next, unit (default: graph, maps);
 * points: letters of the maps, "h,c"; layer; unit: the one whose arithmetic is shown; at: the step.
 * Values for exercises: every quantity of the unit at the step, by its letter; `probability` of the
 * character there.
 */

import { color, onRestyle } from "../../color.js";
import { HairLines } from "../../hair-lines.js";
import { layersOf } from "../../layers.js";
import { Maps } from "../../maps.js";
import { Microscope } from "../../microscope.js";
import { NextCharacters } from "../../next-characters.js";
import { loadPlotly, plotly } from "../../plotly.js";
import { inOneLine } from "../../problem.js";
import { Session } from "../../session.js";
import { TextRuler } from "../../text-ruler.js";
import { TimeAxis } from "../../time-axis.js";
import { Unrolled } from "../../unrolled.js";
import { make, pageData, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const COLUMN = 26; // css px at least: wider than in the lab, the texts are short
const WIDE = 60; // css px at most: a short text is spread over the figure
const REST = 300; // ms after typing before the text is read

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  return new Network(stage, { show: ["graph", "maps"], points: "", layer: "", unit: -1, at: -1, ...options }, figure, about);
}

class Network {
  constructor(stage, options, figure, about) {
    Object.assign(this, { stage, options, figure });
    this.session = new Session(about);
    this.store = this.session.store;
    this.axis = new TimeAxis({ columnWidth: COLUMN, calm: matchMedia("(prefers-reduced-motion: reduce)").matches });
    this.layers = layersOf(this.store);
    this.build(about);
    this.listen();
    this.session.read(options.text);
  }

  build(about) {
    const { stage, store, axis, layers, options } = this;
    const shows = (name) => options.show.includes(name);
    this.field = make("input", { class: "field num text", type: "text", value: options.text, spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    const ruler = make("div", { class: "strip" });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.main = make("div", { class: "network-main" }, ruler);
    const side = make("div", { class: "network-side" });
    const body = make("div", { class: "network lab-page" }, this.main, side);
    stage.replaceChildren(
      make("div", { class: "network-head" }, this.field, labLink(about)),
      this.problem,
      body,
    );
    this.views = [];
    this.ruler = new TextRuler(ruler, axis, { store, tint: () => null, onGo: (at) => this.go(at), onType: (at, token) => this.type(at, token) });
    this.views.push(this.ruler);
    if (shows("graph")) {
      const host = make("div", { class: "strip graph" });
      this.main.append(host);
      this.graph = new Unrolled(host, axis, { store, onGo: (at) => this.go(at), onFork: (at, token) => this.type(at, token) });
      this.graph.label();
    }
    if (shows("maps")) {
      const hosts = { bar: make("div", { class: "maps-bar" }), stack: make("div", { class: "maps" }), note: make("p", { class: "note small" }) };
      this.main.append(hosts.bar, hosts.stack, hosts.note);
      this.maps = new Maps(hosts, {
        store, axis, layers, wake: () => this.wake(),
        onArranged: () => this.hair?.collect(),
        onPick: (point, at, unit) => this.pick(point.layer, unit, at),
        onSave: () => {}, onChange: () => this.wake(),
      });
      this.maps.restore({ points: options.points, layer: String(options.layer), order: "index", height: "fit" });
    }
    if (shows("next")) this.next = new NextCharacters(side, { store, axis, onFork: (at, token) => this.type(at, token) });
    if (shows("unit")) {
      this.microscope = new Microscope(side, { store, axis, layers, onPick: (layer, unit) => this.pick(layer.number, unit), onKept: () => {} });
      this.microscope.keptButton.hidden = true;
    }
    if (!side.childElementCount) side.remove();
    this.hair = new HairLines(this.main, axis);
  }

  listen() {
    const { session, axis, field, options } = this;
    for (const type of ["columns", "work"]) session.addEventListener(type, () => this.wake());
    session.addEventListener("problem", () => (this.problem.textContent = session.error ? inOneLine(session.error) : ""));
    session.addEventListener("state", () => this.arrived());
    axis.addEventListener("view", () => this.wake());
    axis.addEventListener("at", () => this.wake());
    axis.addEventListener("hover", () => this.hair.draw());
    whenTyped(field, REST, () => this.read(field.value));
    new ResizeObserver(() => (axis.resize(this.ruler.canvas.clientWidth), this.wake())).observe(this.ruler.canvas);
    onRestyle(() => {
      this.graph?.label();
      this.maps?.arrange();
      for (const map of this.maps?.all.values() ?? []) map.scaled = false;
      this.wake();
    });
    this.wanted = { at: options.at, unit: options.unit };
  }

  read(text) {
    this.figure.keep({ text });
    if (text) this.session.read(text);
  }

  type(at, token) {
    const characters = Array.from(this.session.prefix);
    characters[at] = token;
    this.field.value = characters.join("");
    this.read(this.field.value);
  }

  /** The text has been read: go where the lesson, or the address, wants to be. */
  arrived() {
    const { store, wanted } = this;
    if (!store.length || !wanted) return this.wake();
    this.wanted = null;
    const at = wanted.at < 0 ? store.length - 1 : Math.min(wanted.at, store.length - 1);
    if (wanted.unit >= 0) this.pick(this.layers.at(-1).number, wanted.unit, at, false);
    this.go(at, false);
  }

  go(at, keep = true) {
    this.axis.go(at);
    if (keep) this.figure.keep({ at: this.axis.at });
    this.wake();
  }

  pick(number, unit, at = -1, keep = true) {
    const layer = this.layers.find((one) => one.number === number) ?? this.layers.at(-1);
    this.picked = { layer, unit };
    this.maps?.mark(layer, unit);
    this.microscope?.show(layer, unit);
    if (keep) this.figure.keep({ unit });
    if (at >= 0) this.go(at, keep);
    this.wake();
  }

  values() {
    const { axis, store, picked } = this;
    const column = store.columns[axis.at];
    if (!column) return {};
    const found = { probability: column.probability ?? NaN };
    if (picked) for (const [letter, point] of Object.entries(picked.layer.points)) found[letter] = point.at(axis.at, picked.unit);
    return found;
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.frame = null;
    const { session, axis, store } = this;
    let more = session.pump(16);
    axis.setLength(store.length);
    this.fit();
    more = axis.settle(Math.min(100, now - (this.before ?? now - 16))) || more;
    this.before = now;
    this.ruler.draw();
    more = this.graph?.draw(now) || more;
    for (const map of this.maps?.shown ?? []) {
      map.draw();
      map.tellAt();
    }
    this.next?.draw();
    this.microscope?.draw();
    this.hair.draw();
    this.graph?.describe();
    this.figure.changed();
    if (more) this.wake();
    else this.scales();
  }

  /** Columns as wide as there is room for. */
  fit() {
    const { axis } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const width = Math.max(COLUMN * scale, Math.min(WIDE * scale, Math.floor(axis.width / (axis.length + 1))));
    if (Math.abs(width - axis.columnWidth) < 0.5) return;
    axis.zoom(width, 0);
    this.hair.collect();
  }

  /** The axes of units, by Plotly, once it is there. */
  scales() {
    if (!this.maps) return;
    const Plotly = plotly();
    if (Plotly) for (const map of this.maps.shown) map.drawScale(Plotly);
    else loadPlotly(pageData.plotly_url).then(() => this.wake(), () => {});
  }
}
