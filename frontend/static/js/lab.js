/** The lab of a recurrent character network: brings the views together on one text and one axis. */

import { color, onRestyle } from "./color.js";
import { Colouring } from "./colouring.js";
import { Compare } from "./compare.js";
import { Controls } from "./controls.js";
import { HairLines } from "./hair-lines.js";
import { labKeys } from "./keyboard.js";
import { layersOf } from "./layers.js";
import { Maps } from "./maps.js";
import { Microscope } from "./microscope.js";
import { NextCharacters } from "./next-characters.js";
import { Overview } from "./overview.js";
import { Problem } from "./problem.js";
import { openLab } from "./open-lab.js";
import { ReadingText } from "./reading-text.js";
import { Saver } from "./saver.js";
import { Session } from "./session.js";
import { readsSigns, readsWords } from "./tokens.js";
import { TextRuler } from "./text-ruler.js";
import { TimeAxis } from "./time-axis.js";
import { UnitChart } from "./unit-chart.js";
import { Unrolled } from "./unrolled.js";
import { ADDRESS } from "./url-state.js";
import { loadPlotly, plotly } from "./plotly.js";
import { pageData, short, spoken, t } from "./words.js";

const COLUMN = { character: 18, word: 64 }; // css px
const REST = 140; // ms without movement before Plotly draws
const LAYOUT = 50; // ms between additions to the wrapped text while characters stream
const READABLE = 90; // ms between changes of the panels while characters stream
const get = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

class Lab {
  constructor(about) {
    this.about = about;
    ADDRESS.wish(about.sampling);
    this.state = ADDRESS.read();
    document.body.classList.toggle("words", readsWords(about));
    document.body.classList.toggle("signs", readsSigns(about));
    this.session = new Session(about);
    this.store = this.session.store;
    this.axis = new TimeAxis({ columnWidth: this.state.zoom || this.column, calm: calm.matches });
    this.layers = layersOf(this.store);
    this.picked = null; // {point, layer, unit}
    this.colouring = new Colouring(this.store, this.axis);
    this.saveAddress = ADDRESS.writer(() => this.address());
    this.build();
    this.listen();
    this.restore();
  }

  get scale() {
    return parseFloat(color("--scale")) || 1;
  }

  /** Width of a column before anybody zooms. */
  get column() {
    return COLUMN[readsWords(this.about) ? "word" : "character"] * this.scale;
  }

  build() {
    const { axis, store } = this;
    /** Figures on or near the screen: only they are drawn. */
    this.seen = new Set();
    this.watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.seen[isIntersecting ? "add" : "delete"](target);
      this.wake();
    }, { rootMargin: "160px" });
    const onGo = (at) => this.go(at);
    const onFork = (at, token) => this.fork(at, token);
    const tint = (at) => this.colouring.tint(at);
    const wake = () => this.wake();
    this.controls = new Controls(this);
    this.problem = new Problem(get("problem"), { prompt: get("prompt"), mirror: get("mirror"), onRetry: () => this.controls.retry(), goesOn: () => this.controls.missing > 0 });
    this.reading = new ReadingText(get("reading"), { store, tint, onGo, axis });
    this.ruler = new TextRuler(get("ruler"), axis, { store, tint, onGo, onType: onFork, words: readsWords(this.about) });
    this.overview = new Overview(get("overview"), axis);
    this.graph = new Unrolled(get("graph"), axis, { store, onGo, onFork });
    this.saver = new Saver(this);
    this.maps = new Maps({ bar: get("maps-bar"), stack: get("maps"), note: get("maps-note") }, {
      store, axis, layers: this.layers, wake,
      onArranged: (maps) => this.arranged(maps),
      onPick: (point, at, unit) => this.pick(point, unit, at),
      onSave: (map, kind) => this.saver.map(map, kind),
      onChange: () => this.rearranged(),
    });
    this.next = new NextCharacters(get("step-panel"), { store, axis, onFork });
    this.microscope = new Microscope(get("microscope"), {
      store, axis, layers: this.layers, earlier: readsWords(this.about) ? 9 : 24,
      onPick: (layer, unit) => this.pick(layer.cell ?? layer.points.h, unit),
      onKept: () => this.setColour(this.colouring.kind === "kept" ? "none" : "kept"),
    });
    this.chart = new UnitChart(get("chart"), { store, axis });
    this.compare = new Compare(get("compare-body"), {
      axis, session: this.session, onGo, wake,
      onArranged: () => this.hair?.collect(),
      onSave: (map, kind, session) => this.saver.map(map, kind, session),
      onChange: () => this.compared(),
    });
    this.hair = new HairLines(get("stage"), axis);
    this.graph.label();
  }

  listen() {
    const { axis, session } = this;
    const wake = () => this.wake();
    for (const type of ["columns", "work"]) session.addEventListener(type, wake);
    session.addEventListener("state", () => this.changed());
    session.addEventListener("problem", () => this.problem.show(session.error));
    session.addEventListener("columns", () => this.problem.name());
    axis.addEventListener("view", wake);
    axis.addEventListener("at", () => {
      this.moved = true;
      this.wake();
    });
    axis.addEventListener("hover", () => {
      this.hair.draw();
      for (const map of this.maps.shown) map.tellAt();
    });
    const measure = () => axis.resize(get("ruler").querySelector("canvas").clientWidth);
    new ResizeObserver(() => (measure(), this.wake())).observe(get("ruler"));
    onRestyle(() => this.restyle());
    document.fonts?.ready.then(wake);
    this.watcher.observe(this.graph.canvas);
    this.watcher.observe(get("chart"));
    addEventListener("resize", wake);
    get("colour").addEventListener("change", () => this.setColour(get("colour").value));
    get("follow").addEventListener("click", () => axis.follow());
    get("zoom-in").addEventListener("click", () => axis.zoom(axis.columnWidth * 1.3));
    get("zoom-out").addEventListener("click", () => axis.zoom(axis.columnWidth / 1.3));
    get("compare").addEventListener("change", () => this.compare.choose(get("compare").value));
    labKeys(this);
  }

  /** The page as its address describes it. */
  restore() {
    const { state, axis } = this;
    this.maps.restore(state);
    const [layer, letter, unit] = state.unit.split(".");
    const found = this.layers[Number(layer)]?.points[letter];
    if (found && Number(unit) < found.units) this.pick(found, Number(unit));
    this.setColour(state.colour, false);
    this.wanted = state.at; // taken up once that column is there
    axis.resize(get("ruler").querySelector("canvas").clientWidth);
    if (state.compare) {
      get("compare").value = state.compare;
      this.compare.choose(get("compare").value);
    }
    this.controls.begin(state);
    if (document.documentElement.dataset.present !== undefined) this.controls.present.turn(0);
    this.wake();
    this.rest();
  }

  address() {
    const { axis, session, store, maps, picked } = this;
    const written = Math.max(0, store.length - session.given);
    const wished = session.busy || session.error; // what was asked for, not what is there
    return {
      prefix: wished ? this.controls.prompt.value : session.prefix,
      ...this.controls.sampling(),
      n: wished ? this.controls.target : written,
      at: axis.pinned ? axis.at : -1,
      unit: picked ? `${this.layers.indexOf(picked.layer)}.${picked.point.letter}.${picked.unit}` : "",
      layer: maps.layer === String(this.layers.length - 1) ? "" : maps.layer,
      points: maps.points,
      order: maps.orderKind,
      height: maps.heightKind,
      colour: this.colouring.kind,
      zoom: Math.abs(axis.columnWidth - this.column) < 0.01 ? 0 : Math.round(10 * axis.columnWidth) / 10,
      compare: this.compare.id,
    };
  }

  /** Make a step current. */
  go(at) {
    this.axis.go(at);
    this.next.draw(); // at once: it is what the reader asked for
    get("panel").classList.add("open");
    this.saveAddress();
  }

  fork(at, token) {
    if (at < 0 || at > this.store.length) return;
    this.controls.fork(at, token);
  }

  pick(point, unit, at = -1) {
    const layer = this.layers.find((one) => one.number === point.layer && one.reverse === point.reverse);
    this.picked = { point, layer, unit };
    this.maps.mark(layer, unit);
    this.microscope.show(layer, unit);
    get("colour-unit").textContent = t("{name} of unit {unit}", { name: `${point.name}`, unit });
    get("colour-unit").disabled = false;
    get("colour-kept").disabled = !layer.keeper;
    get("chart-figure").hidden = false;
    if (at >= 0) this.go(at);
    this.colouring.picked = this.picked;
    if (this.colouring.kind === "unit" || this.colouring.kind === "kept") this.recolour();
    this.drawChartLegend();
    this.wake();
    this.saveAddress();
  }

  nextUnit(by) {
    const point = this.picked?.point ?? this.maps.shown[0].point;
    const unit = (this.picked?.unit ?? -by) + by;
    if (unit >= 0 && unit < point.units) this.pick(point, unit);
  }

  drawChartLegend() {
    const { layer, unit } = this.picked;
    get("chart-title").textContent = t("unit {unit} of layer {layer}", { unit, layer: layer.number });
    this.controls.legend(get("chart-legend"), Object.keys(layer.points));
  }

  setColour(kind, save = true) {
    this.colouring.choose(kind, this.picked);
    get("colour").value = this.colouring.kind;
    this.microscope.keptButton.setAttribute("aria-pressed", String(this.colouring.kind === "kept"));
    this.recolour();
    this.wake();
    if (save) this.saveAddress();
  }

  recolour() {
    const { colouring } = this;
    colouring.painted();
    this.reading.repaint();
    const limits = colouring.kind === "unit" ? colouring.limits.map((limit) => short(limit).replace(/\.0+$/, "")) : [];
    get("colour-range").textContent = limits.join(" … ");
  }

  /** The maps on the page have changed. */
  arranged(maps) {
    for (const map of maps) this.watcher.observe(map.canvas);
    this.hair?.collect();
    this.wake();
  }

  rearranged() {
    this.compared();
    this.wake();
    this.saveAddress();
  }

  compared() {
    const letters = [...new Set(this.maps.shown.map((map) => map.point.letter))];
    this.compare.arrange(letters, this.maps.letters, this.maps.layer, this.maps.heightOf(this.layers[0].points.h));
    const { prefix, n } = this.address();
    if (this.compare.fresh && prefix) this.compare.mirror(prefix, n, this.controls.sampling());
    this.saveAddress();
    this.wake();
  }

  changed() {
    this.controls.show();
    if (!this.session.busy) {
      if (this.maps.orderKind !== "index" && !this.maps.orders.size) this.maps.reorder(this.maps.orderKind);
      this.compare.tell();
    }
    this.wake();
    this.saveAddress();
  }

  restyle() {
    this.controls.grow();
    this.graph.label();
    this.maps.arrange();
    for (const map of this.maps.all.values()) map.scaled = false;
    this.reading.repaint();
    this.chart.key = "";
    this.moved = true;
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.tick(now));
    this.rest();
  }

  /** One frame: take what has come, move the axis, draw what can be seen. */
  tick(now) {
    this.frame = null;
    const elapsed = Math.min(100, now - (this.before ?? now - 16));
    this.before = now;
    const { session, axis, store, compare } = this;
    let more = session.pump(elapsed);
    if (compare.session2) more = compare.session2.pump(elapsed) || more;
    axis.setLength(Math.max(store.length, compare.length));
    if (this.wanted >= 0 && this.wanted < store.length) {
      axis.go(this.wanted);
      axis.following = false;
      this.wanted = -1;
    }
    more = axis.settle(elapsed) || more;
    // The text and the panels are laid out in turn, a few times a second while characters stream.
    const hurried = session.busy && !session.pace;
    const reads = !hurried || !(now - this.readAt < LAYOUT);
    if (reads) {
      this.reading.update();
      this.readAt = now;
    }
    if (this.colouring.stale) this.recolour();
    this.ruler.draw();
    const { seen } = this;
    if (seen.has(this.graph.canvas)) more = this.graph.draw(now) || more;
    for (const map of this.maps.shown) if (seen.has(map.canvas)) map.draw();
    compare.draw();
    if (this.moved && !(hurried && (reads || now - this.toldAt < READABLE))) {
      this.moved = false;
      this.toldAt = now;
      this.next.draw();
      this.microscope.draw();
      this.reading.mark();
      this.ruler.announce();
      for (const map of this.maps.shown) map.tellAt();
      if (this.colouring.kind === "kept") this.reading.repaint();
    } else if (!this.moved && store.next !== this.shownNext) this.next.draw();
    this.shownNext = store.next;
    this.overview.draw();
    this.hair.draw();
    get("follow").hidden = axis.following || axis.length <= axis.visible;
    get("stage").classList.toggle("empty", !store.length);
    if (more) this.wake();
  }

  /** When nothing has moved for a while: what is dear, one piece at a time. */
  rest() {
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.settle(), REST);
  }

  settle() {
    if (this.session.busy && !this.session.pace) return;
    this.graph.describe();
    this.controls.say(this.axis.at >= 0 ? `${t("step {n}", { n: this.axis.at })}: ${spoken(this.store.columns[this.axis.at]?.token ?? "")}` : "");
    const Plotly = plotly();
    if (!Plotly) {
      loadPlotly(pageData.plotly_url).then(() => this.rest(), () => {});
      return;
    }
    if (this.picked && this.seen.has(get("chart"))) this.chart.draw(Plotly, this.picked.layer, this.picked.unit);
    for (const map of this.maps.shown) {
      if (this.seen.has(map.canvas) && map.drawScale(Plotly)) {
        this.restTimer = setTimeout(() => this.settle(), 30);
        return;
      }
    }
  }
}

openLab(Lab);
