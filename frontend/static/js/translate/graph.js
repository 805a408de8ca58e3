/**
 * Encoder, alignment and decoder as one graph. What was read stands at the bottom, what is written
 * at the top; an arc is as wide as its weight. A network without attention has one vector instead,
 * or nothing but the state that the encoder ended with.
 */

import { color, onRestyle } from "../color.js";
import { fileOf, svg } from "../decoder/svg.js";
import { make, percent, t } from "../words.js";
import { handle } from "./graph-hands.js";
import { cut, layoutOf } from "./graph-layout.js";
import { explain, nameRows } from "./graph-legend.js";
import { faintArcs, ofSource, ofStep } from "./graph-lift.js";
import { COUNTED } from "./graph-marks.js";
import { beginning, bottleneck, encoderLayers, encoderOf, encoderPoint, stepOf } from "./graph-parts.js";
import { LookHere } from "./look-here.js";

const START = "<s>";
const AT_ONCE = 8; // columns drawn in one frame
const NAMED = 3; // words that a step looks at, in a sentence
let graphs = 0;

export class Graph {
  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {import("./translation.js").Translation} options.translation
   * @param {import("../decoder/link.js").Link} options.link
   * @param {(target: number, source: number) => void} options.onForce a step must look at a word
   * @param {(target: number) => void} [options.onGo] a step is to be chosen; without it, the graph does
   */
  constructor(host, { translation, link, onForce, onGo }) {
    Object.assign(this, { host, translation, link, onGo });
    this.layers = encoderLayers(translation.about);
    const id = `graph-words-${++graphs}`;
    this.words = make("p", { class: "out-of-sight", id });
    this.gutter = make("div", { class: "sg-gutter", "aria-hidden": "true" });
    this.layer = Object.fromEntries(["base", "arcs", "box", "lifted", "steps", "numbers"].map((name) => [name, svg("g", { class: `sg-layer-${name}` })]));
    const points = new Set(translation.about.points.map(({ name }) => name));
    this.handed = !translation.attends && !points.has("context");
    this.backward = points.has(encoderPoint(0, true));
    const label = t(translation.attends ? "Encoder, alignment and decoder" : this.handed ? "Encoder, its last state and decoder" : "Encoder, one vector and decoder");
    this.drawing = svg("svg", { class: "sg-drawing", role: "group", "aria-label": label, "aria-describedby": id }, hatching(), ...Object.values(this.layer));
    this.room = make("div", { class: "sg-room" }, this.drawing);
    this.scroller = make("div", { class: "sg-scroller" }, this.room);
    this.legend = make("p", { class: "sg-legend", "aria-hidden": "true" });
    host.classList.add("seq-graph");
    host.append(this.gutter, this.scroller, this.legend, this.words);
    this.look = new LookHere(this.room, onForce);
    this.steps = []; // tokens whose columns stand, and how they were labelled
    this.former = []; // labels of the run before, of the same text
    const wake = () => this.wake();
    for (const type of ["source", "step", "done"]) translation.addEventListener(type, wake);
    link.addEventListener("change", wake);
    new ResizeObserver(wake).observe(host);
    onRestyle(wake);
    this.scroller.addEventListener("scroll", () => this.scrolled());
    handle(this);
  }

  get scale() {
    return parseFloat(color("--scale")) || 1;
  }

  /** The step in view: pointed at, else chosen, else the newest; -1: none. */
  get current() {
    const { hover, pin } = this.link;
    const last = this.steps.length - 1;
    if (hover.target >= 0) return Math.min(hover.target, last);
    return pin.target >= 0 ? Math.min(pin.target, last) : last;
  }

  wake() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  /** Draw what is new; true where there is more to draw. */
  draw() {
    const { translation, steps } = this;
    const empty = !translation.source.length;
    this.host.hidden = empty;
    if (empty) return false;
    if (this.lay()) this.begin();
    const wrong = steps.findIndex(({ token, label }, k) => translation.target[k] !== token || token.label !== label);
    if (wrong >= 0) {
      steps.length = wrong;
      for (const name of ["steps", "arcs"]) while (this.layer[name].children.length > wrong) this.layer[name].lastChild.remove();
    }
    const from = steps.length;
    const to = Math.min(translation.target.length, from + AT_ONCE);
    for (let k = from; k < to; k++) this.add(k, translation.target[k]);
    if (steps.length > from || wrong >= 0) this.fit(steps.length > from);
    this.reveal();
    this.lift(steps.length > from);
    const more = to < translation.target.length;
    if (more) this.wake();
    return more;
  }

  /** Where everything stands now. True where what has been drawn stands there no more. */
  lay() {
    const { translation } = this;
    this.sourceLabels = translation.source.map(({ label }) => label);
    this.targetLabels = translation.target.map(({ label }) => label);
    const width = Math.floor((this.scroller.clientWidth || 600) / this.scale);
    const of = [this.sourceLabels.join("\n"), width].join();
    // Once columns had to be narrow they are so for this text, or the drawing would jump at every run.
    const tight = this.of === of && this.layout.narrow;
    if (this.of !== of) this.former = [];
    this.of = of;
    this.layout = layoutOf({ source: this.sourceLabels, target: this.targetLabels, start: START, width, layers: this.layers, bottleneck: !translation.attends && !this.handed, handed: this.handed, backward: this.backward, tight });
    const { narrow, leaning, pitch } = this.layout;
    const key = [of, narrow, leaning, pitch, this.scale, color("--paper")].join();
    const stands = key === this.key && this.read === translation.source;
    this.key = key;
    this.read = translation.source;
    return !stands;
  }

  /** The encoder, and nothing written yet. */
  begin() {
    const { layer, layout, translation, sourceLabels } = this;
    this.former = this.steps.length ? this.steps.map(({ label }) => label) : this.former;
    this.steps.length = 0;
    this.shown = "";
    this.following = this.link.pin.target < 0;
    this.revealed = -1;
    const held = document.activeElement.closest?.(".seq-graph") === this.host ? document.activeElement.dataset : {};
    this.held = Number(held.target ?? -1);
    this.look.hide();
    for (const group of Object.values(layer)) group.replaceChildren();
    const words = sourceLabels.map((label) => cut(label, layout.leaning));
    layer.base.append(beginning(layout, START), encoderOf(layout, translation, words));
    const { context } = translation.sourcePoints;
    if (layout.box && context) layer.box.append(bottleneck(layout, context));
    layer.base.querySelectorAll(".sg-source").forEach((node, k) => {
      const name = translation.source[k].copied ? `${sourceLabels[k]}: ${t("not in its vocabulary, read as <unk>")}` : sourceLabels[k];
      node.setAttribute("aria-label", name);
      node.append(svg("title", {}, name));
      node.setAttribute("tabindex", k === Number(held.source ?? 0) ? 0 : -1);
      if (k === Number(held.source)) node.focus({ preventScroll: true });
    });
    nameRows(this.gutter, layout, this.layers, this.scale);
    explain(this.legend, layout);
    this.fit(false);
  }

  add(k, token) {
    const { layer, layout, steps, translation } = this;
    steps.push({ token, label: token.label });
    layer.arcs.append(faintArcs(layout, token, k));
    const node = stepOf(layout, token, cut(this.targetLabels[k], layout.leaning), k, translation.attends);
    const name = this.sentence(k);
    node.setAttribute("aria-label", name);
    node.append(svg("title", {}, name));
    node.setAttribute("tabindex", k ? -1 : 0);
    node.classList.toggle("fresh", this.former[k] !== token.label);
    layer.steps.append(node);
    if (k === this.held) node.focus({ preventScroll: true });
  }

  /** The drawing as large as what is in it; in view stays the newest, until the reader scrolls back. */
  fit(grown) {
    const { drawing, layout, scale, scroller } = this;
    drawing.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    drawing.setAttribute("width", layout.width * scale);
    drawing.setAttribute("height", layout.height * scale);
    if (!grown || !this.following) return;
    const newest = layout.target.at(-1);
    const right = (newest.x + newest.width + 40) * scale;
    if (right > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = this.put = right - scroller.clientWidth;
  }

  /** The step that has been chosen into view. */
  reveal() {
    const { layout, link, scale, scroller, steps } = this;
    const { target } = link.pin;
    if (target === this.revealed || target >= steps.length) return;
    this.revealed = target;
    if (target < 0) return;
    this.following = false;
    const { x, width, middle } = layout.target[target];
    if (x * scale >= scroller.scrollLeft && (x + width) * scale <= scroller.scrollLeft + scroller.clientWidth) return;
    scroller.scrollLeft = middle * scale - scroller.clientWidth / 2;
    this.put = scroller.scrollLeft;
  }

  scrolled() {
    if (Math.abs(this.scroller.scrollLeft - (this.put ?? 0)) > 2) this.following = false;
  }

  /** Lift out the step in view, or the read word that is pointed at. */
  lift(fresh) {
    const { layer, layout, link, translation } = this;
    const step = this.current;
    const { source } = link.hover;
    const word = source >= 0 && link.hover.target < 0 && link.pin.target < 0 && !layout.box;
    const shown = [word ? "word" : step, source, link.pin.target, this.steps.length].join();
    if (shown === this.shown && !fresh) return;
    this.shown = shown;
    const token = translation.target[step];
    let lifted = { arcs: [], numbers: [] };
    if (word) lifted = ofSource(layout, translation.target, source);
    else if (token) lifted = ofStep(layout, token, step, fresh && step === this.steps.length - 1);
    layer.lifted.replaceChildren(...lifted.arcs);
    layer.numbers.replaceChildren(...lifted.numbers);
    [...layer.steps.children].forEach((node, k) => {
      node.classList.toggle("current", !word && k === step);
      node.classList.toggle("chosen", k === link.pin.target);
    });
    layer.base.querySelectorAll(".sg-source").forEach((node, k) => node.classList.toggle("pointed", k === source));
    if (token) this.words.textContent = this.sentence(step);
  }

  /** A step in words. */
  sentence(k) {
    const { attention, forced, probability } = this.translation.target[k];
    const parts = [`${t("step {n}", { n: k })}: ${this.targetLabels[k]} ${percent(probability)}`];
    if (attention) {
      const order = [...attention.keys()].sort((a, b) => attention[b] - attention[a]).slice(0, NAMED);
      const places = order.filter((source) => attention[source] >= COUNTED).map((source) => `${this.sourceLabels[source]} ${percent(attention[source])}`);
      parts.push(`${t(forced === null || forced === undefined ? "looks at" : "was made to look at")} ${places.join(", ")}`);
    }
    return parts.join("; ");
  }

  /** The graph as the text of an SVG file. */
  exportSVG() {
    const { about, sourceText } = this.translation;
    return fileOf(this.drawing, `${about.title ?? about.id}: ${sourceText}`, color("--paper"));
  }

  /** Rows for a CSV: one per step and read token. */
  rows() {
    const { source, target } = this.translation;
    return [
      ["step", "written", "probability", "position", "read", "weight"],
      ...target.flatMap(({ token, probability, attention }, step) =>
        attention ? source.map((one, k) => [step, token, probability, k, one.token, attention[k]]) : [[step, token, probability, "", "", ""]],
      ),
    ];
  }
}

function hatching() {
  const lines = svg("path", { d: "M0 4L4 0", stroke: "currentColor" });
  return svg("defs", {}, svg("pattern", { id: "sg-hatch", width: 4, height: 4, patternUnits: "userSpaceOnUse" }, lines));
}
