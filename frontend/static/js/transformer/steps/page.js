/** The page of steps: one text, twelve steps, each drawn from the same numbers. */

import { forgetColors } from "../../color.js";
import { openLab } from "../../open-lab.js";
import { Present } from "../../present.js";
import { Problem } from "../../problem.js";
import { Prompt } from "../prompt.js";
import { saveButtons } from "../saver.js";
import { Strip } from "../strip.js";
import { Dot } from "./dot.js";
import { Heads } from "./heads.js";
import { stepKeys } from "./keys.js";
import { Mask } from "./mask.js";
import { Matrices } from "./matrices.js";
import { Order } from "./order.js";
import { Projections } from "./projections.js";
import { saved } from "./saved.js";
import { Scale } from "./scale.js";
import { Stack } from "./stack.js";
import { Stream } from "./stream.js";
import { hush } from "./tip.js";
import { Turning } from "./turning.js";
import { Vector } from "./vector.js";
import { Walk } from "./walk.js";
import { Weighted } from "./weighted.js";
import { Weights } from "./weights.js";
import { make, t } from "../../words.js";

const STEPS = [Vector, Projections, Dot, Scale, Mask, Weights, Weighted, Matrices, Heads, Stream, Stack, Order];
const NEAR = "200px"; // to the window, when a step asks for what it alone needs
const LONGEST = 7.5; // rem of a label, before it is cut
let ruler = null;
const get = (id) => document.getElementById(id);

class StepsPage {
  constructor(about) {
    const walk = (this.walk = new Walk(about));
    this.prompt = new Prompt(walk);
    this.problem = new Problem(get("problem"), { prompt: get("prompt"), mirror: get("mirror"), onRetry: () => walk.read() });
    this.sections = [...document.querySelectorAll(".step")];
    this.steps = STEPS.map((Kind, k) => new Kind(walk, this.sections[k]));
    this.strip = new Strip(get("strip"), walk, this.weights(), { side: "source", label: t("the tokens; the chosen one looks") });
    this.near = new Set();
    this.present = new Present(get("present"), [], { onToggle: () => this.turning.arrange() });
    this.turning = new Turning(walk, this.sections, () => this.show());
    this.steps.forEach((step, k) => saved(`step-${k + 1}`, step));
    saveButtons(walk, (words) => this.say(words));
    this.choosers();
    this.listen();
    walk.read();
  }

  /** What tints the tokens: nothing before the weights are made, in step 6. */
  weights() {
    const { walk } = this;
    const map = new EventTarget();
    map.row = (query) => (walk.layer && walk.state.step >= 6 && query >= 0 ? walk.head().attention.subarray(query * walk.T, (query + 1) * walk.T) : null);
    for (const type of ["read", "layer", "step"]) walk.addEventListener(type, () => map.dispatchEvent(new Event("map")));
    return map;
  }

  choosers() {
    const { walk } = this;
    for (const [name, count] of [["layer", walk.layers], ["head", walk.heads]]) {
      get(name).append(...Array.from({ length: count }, (_, k) => make("option", { value: String(k) }, String(k))));
      get(name).addEventListener("change", (event) => walk.set({ [name]: Number(event.target.value) }));
    }
  }

  listen() {
    const { walk } = this;
    for (const type of ["read", "layer", "select", "shuffle"]) walk.addEventListener(type, () => this.show());
    walk.addEventListener("step", () => this.reach());
    walk.addEventListener("problem", () => this.problem.show(walk.error));
    walk.addEventListener("state", () => document.body.classList.toggle("busy", walk.busy));
    get("checkpoint").addEventListener("change", (event) => (location.href = `${event.target.value}?${new URLSearchParams({ text: walk.state.text, step: String(walk.state.step) })}`));
    get("open-help").addEventListener("click", () => get("help").showModal());
    new MutationObserver(() => this.restyle()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-present"] });
    let width = 0;
    new ResizeObserver(() => {
      if (Math.abs(get("steps").clientWidth - width) < 1) return;
      width = get("steps").clientWidth;
      this.turning.arrange();
      this.wake();
    }).observe(get("steps"));
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.near[isIntersecting ? "add" : "delete"](target);
      this.reach();
    }, { rootMargin: NEAR });
    for (const section of this.sections) seen.observe(section);
    document.fonts?.ready.then(() => this.wake());
    addEventListener("scroll", hush, { passive: true });
    stepKeys(this);
  }

  /** Steps that somebody is near fetch what they alone need. */
  reach() {
    if (!this.walk.layer) return;
    this.steps.forEach((step, k) => this.near.has(this.sections[k]) && step.fetch());
  }

  show() {
    const { walk } = this;
    get("stage").classList.toggle("empty", !walk.reading);
    get("layer").value = String(walk.state.layer);
    get("head").value = String(walk.state.head);
    get("cut").hidden = !walk.reading?.cut;
    this.wake();
  }

  /** Draw in the next frame what is in the layout. */
  wake() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.walk.layer || this.walk.layer.number !== this.walk.state.layer) return;
      hush();
      get("steps").style.setProperty("--names", `${namesWidth(this.walk.reading.labels)}px`);
      this.steps.forEach((step, k) => this.sections[k].clientWidth && step.draw());
      this.reach();
      this.turning.settle();
      document.body.dataset.drawn = String(Number(document.body.dataset.drawn ?? 0) + 1);
    });
  }

  /** Colours have changed, or sizes. */
  restyle() {
    forgetColors();
    this.walk.tell("restyle");
    this.wake();
  }

  say(words) {
    if (get("live").textContent !== words) get("live").textContent = words;
  }
}

/** Css px that the longest label of a row takes, so that maps one above the other share columns. */
function namesWidth(labels) {
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const context = (ruler ??= document.createElement("canvas").getContext("2d"));
  context.font = `640 ${0.8125 * root}px ${getComputedStyle(document.body).fontFamily}`;
  const widest = Math.max(0, ...labels.map((text) => context.measureText(text).width));
  return Math.ceil(Math.min(LONGEST * root, widest) + 0.5 * root);
}

openLab(StepsPage);
