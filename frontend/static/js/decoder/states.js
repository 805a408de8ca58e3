/**
 * The states of one side as heat maps: units down, tokens across. The maps are those of every
 * recurrent network here; their axis follows what the page points at and has chosen.
 */

import { HairLines } from "../hair-lines.js";
import { layersOf } from "../layers.js";
import { Maps } from "../maps.js";
import { TimeAxis } from "../time-axis.js";
import { TraceStore } from "../trace-store.js";
import { make } from "../words.js";
import { rowOf } from "./arithmetic.js";
import { TokenRuler } from "./token-ruler.js";

const COLUMN = [9, 44]; // narrowest and widest, css px
const LETTERS = "h"; // shown at first
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class States {
  /**
   * @param {HTMLElement} host
   * @param {"source"|"target"} side  the encoder's or the decoder's
   * @param {{run, link, wake: () => void, onSave: (map, kind: string) => void}} options
   */
  constructor(host, side, { run, link, wake, onSave }) {
    Object.assign(this, { host, side, run, link });
    const prefix = side === "source" ? "encoder." : "decoder.";
    this.store = new TraceStore();
    this.store.declare(run.about.points.filter(({ name, axes }) => name.startsWith(prefix) && axes.at(-1) === "unit"));
    this.axis = new TimeAxis({ columnWidth: 24, calm: calm.matches });
    this.axis.following = false;
    this.axis.pinned = true;
    const strip = make("div", { class: "strip" });
    const [bar, stack, note] = [make("div", { class: "maps-bar" }), make("div", { class: "maps" }), make("p", { class: "note small maps-note" })];
    host.append(bar, note, strip, stack);
    const go = (k) => (side === "source" ? link.choose(link.pin.target, k) : link.choose(k, link.pin.source));
    this.ruler = new TokenRuler(strip, this.axis, { tokens: () => run[side], onGo: go });
    this.hair = new HairLines(host, this.axis);
    this.maps = new Maps({ bar, stack, note }, {
      store: this.store,
      axis: this.axis,
      layers: layersOf(this.store),
      wake,
      onArranged: () => (this.hair.collect(), wake()),
      onPick: (point, at, unit) => this.pick(point, at, unit, go),
      onSave,
      onChange: wake,
    });
    this.maps.restore({ points: LETTERS, layer: side === "source" ? "all" : "", order: "index", height: "low" });
    this.axis.addEventListener("view", wake);
    this.axis.addEventListener("hover", () => this.hovered());
  }

  pick(point, at, unit, go) {
    this.maps.mark({ number: point.layer, reverse: point.reverse }, unit);
    if (at >= 0) go(at);
  }

  hovered() {
    const { axis, link, side } = this;
    if (axis.hover === link.hover[side]) return;
    if (axis.hover < 0) link.point();
    else link.point(...(side === "source" ? [-1, axis.hover] : [axis.hover, -1]));
  }

  /** Columns for what has been read or written since. */
  take() {
    const { store, run, side } = this;
    const tokens = run[side];
    if (this.seen !== tokens) {
      store.truncate(0);
      this.seen = tokens;
    }
    for (let k = store.length; k < tokens.length; k++) {
      const row = side === "target"
        ? (name) => tokens[k].points[name]
        : (name) => run.sourcePoints[name] && rowOf(run.sourcePoints[name], k);
      store.addColumn(tokens[k].label, row, { probability: tokens[k].probability ?? null });
    }
  }

  draw() {
    this.take();
    const { axis, store, link, side, host } = this;
    const canvas = this.ruler.canvas;
    if (!store.length || !canvas.clientWidth) return;
    axis.resize(canvas.clientWidth);
    if (this.length !== store.length || this.width !== axis.width) {
      Object.assign(this, { length: store.length, width: axis.width });
      axis.setLength(store.length);
      const lean = 40;
      axis.columnWidth = Math.max(COLUMN[0], Math.min(COLUMN[1], (axis.width - lean) / store.length));
      axis.offset = 0;
      axis.following = false;
    }
    axis.setAt(link.pin[side]);
    axis.setHover(link.hover[side]);
    this.ruler.draw();
    for (const map of this.maps.shown) {
      map.draw();
      map.tellAt();
    }
    this.hair.draw();
    host.classList.remove("empty");
  }

  /** The axis of units, by Plotly, one map at a time; true while there is more. */
  settle(Plotly) {
    return this.maps.shown.some((map) => map.drawScale(Plotly));
  }

  restyle() {
    this.maps.arrange();
    for (const map of this.maps.all.values()) map.scaled = false;
  }
}
