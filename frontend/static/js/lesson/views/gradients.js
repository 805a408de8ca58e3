/**
 * The gradient bench: how far the gradient of a loss reaches back over a text, in one network or in
 * several side by side, with the weights as they are or changed.
 *
 * Options: checkpoints; text; at: the step whose loss it is, -1 the last; loss: step or sum; layer,
 * -1 the last; weight_scale; forget_bias; clip; chunk, 0 the whole text; radius: radius, stretch or kept;
 * show: some of losses, gradients, radii, numbers; controls: some of CONTROLS.
 * Values for exercises: those of `gradient-numbers.js`, the settings, `length`.
 */

import { make, t } from "../../words.js";
import { GradientBench, opened, USUAL } from "../gradient-bench.js";
import { number, quoted } from "../gradient-data.js";
import { numbers, valuesOf } from "../gradient-numbers.js";
import { GradientPlot } from "../gradient-plot.js";

const RADII = 24; // steps whose Jacobians are worked out
const CONTROLS = ["text", "weight_scale", "forget_bias", "chunk", "clip", "loss", "layer", "radius"];
const NETWORKS = ["shakespeare-rnn", "shakespeare-lstm", "shakespeare-gru"];

export async function mount(stage, options, figure) {
  const all = { ...USUAL, checkpoints: NETWORKS, show: ["losses", "gradients", "radii", "numbers"], controls: CONTROLS, ...options };
  const view = new Gradients(stage, all, figure, await opened(all.checkpoints));
  await view.run();
  view.plot.reveal();
  return view;
}

class Gradients extends GradientBench {
  constructor(stage, options, figure, abouts) {
    super(stage, options, figure, abouts);
    const place = make("div", { class: "gb-stage" });
    this.told = make("p", { class: "gb-told num", role: "status" });
    this.note = make("p", { class: "note small" });
    this.table = make("div", { class: "gb-table" });
    stage.append(place, this.told, this.note, this.table);
    this.plot = new GradientPlot(place, options.show, { onGo: (at) => this.go(at), onHover: (at) => this.tell(at) });
    this.watch(place);
  }

  get radii() {
    return this.options.show.includes("radii") ? RADII : 0;
  }

  draw() {
    const { shown } = this;
    this.plot.draw(this.answers, shown);
    if (this.options.show.includes("numbers")) this.table.replaceChildren(numbers(this.answers, shown));
    this.tell(-1);
    this.note.replaceChildren(...this.explained(shown));
    this.figure.changed();
  }

  /** The numbers under the pointer, or of the step of the loss. */
  tell(under) {
    if (!this.answers) return;
    const { shown } = this;
    const at = under < 0 ? shown.at : under;
    const [first] = this.answers;
    const told = this.answers.map((one) => {
      const lines = one.lines(shown.layer, one.truncated ?? one.whole).flatMap(({ letter, log }) => [` |∂L/∂${letter}| `, number(log[at])]);
      return make("span", {}, make("b", { class: `of-${one.family}` }, one.name), ...lines);
    });
    const step = make("span", {}, t("step {n}: reads {character}, has to guess {next}", { n: at, character: quoted(first.tokens[at]), next: quoted(first.tokens[at + 1]) }));
    this.told.replaceChildren(step, ...told);
  }

  /** What is drawn, and where it ends. */
  explained(shown) {
    const said = [];
    if (this.options.show.includes("gradients")) {
      const [low] = this.plot.range;
      const lowest = Math.min(...this.answers.flatMap((one) => one.lines(shown.layer).flatMap(({ log }) => [...log].filter(Number.isFinite))));
      const key = lowest < low ? "The scale ends at {floor}; ▾ marks where a line goes below it." : "The scale ends at {floor}, below every number here.";
      const [before, after] = t(key).split("{floor}");
      said.push(before, make("span", { class: "num" }, "10", make("sup", {}, String(low).replace("-", "−"))), `${after} `);
    }
    const { jacobians, cut } = this.answers[0];
    if (jacobians) {
      const counts = { shown: jacobians.steps.length, all: this.plot.length };
      const name = t(shown.radius === "radius" ? "spectral radius" : "largest singular value");
      const kept = t("Lowest row: the largest forget gate f of a unit (LSTM), the largest update gate z (GRU), at {shown} of {all} steps: the factor of a step for c, or h, with the gates held.", counts);
      said.push(shown.radius === "kept" ? kept : t("Lowest row: {name} of the step's Jacobian, ∂h′/∂h (of an LSTM that of h and c together), at {shown} of {all} steps.", { name, ...counts }), " ");
    }
    if (cut) said.push(t("Dashed uprights: borders of chunks, where the gradient stops. Faint: the gradient that would not be stopped."));
    return said;
  }

  values() {
    if (!this.answers) return {};
    const { weight_scale, forget_bias, clip, chunk } = this.state;
    return { weight_scale, forget_bias, clip, chunk, at: this.at, length: this.answers[0].losses.length, ...valuesOf(this.answers, this.shown) };
  }
}
