/** What figures about gradients share: their state, its place in the address, asking the server. */

import { checkpoint, gradients } from "../api.js";
import { onRestyle } from "../color.js";
import { make, t } from "../words.js";
import { Answer } from "./gradient-data.js";
import { Sliders } from "./gradient-sliders.js";

const REST = 220; // ms after the last touch of a control before the server is asked
const KEPT = ["text", "at", "loss", "layer", "weight_scale", "forget_bias", "clip", "chunk", "radius"];
export const USUAL = {
  text: "To be, or not to be, that is the question", at: -1, loss: "step", layer: -1, weight_scale: 1, forget_bias: 0,
  clip: 1, chunk: 0, radius: "radius",
};

/** The checkpoints of some names, all ready. @param {string|string[]} ids */
export async function opened(ids) {
  const abouts = await Promise.all([ids].flat().map(checkpoint));
  const failed = abouts.find((one) => one.status !== "ready");
  if (failed) throw new Error(failed.reason || failed.status);
  return abouts;
}

export class GradientBench {
  /** @param {HTMLElement} stage @param {any} options @param {import("./figure.js").Figure} figure @param {object[]} abouts */
  constructor(stage, options, figure, abouts) {
    Object.assign(this, { stage, figure, abouts, options });
    this.state = { ...Object.fromEntries(KEPT.map((name) => [name, options[name]])), controls: options.controls };
    this.answers = null;
    this.problem = make("p", { class: "broken", role: "alert" });
    this.sliders = new Sliders(this.state, abouts, options, (change, wait) => this.set(change, wait));
    stage.classList.add("gb");
    stage.replaceChildren(this.sliders.element, this.problem);
  }

  /** Steps whose Jacobians are asked for. */
  get radii() {
    return 0;
  }

  /** Draw again when there is another width, or a projector. */
  watch(place) {
    new ResizeObserver(() => this.answers && this.draw()).observe(place);
    onRestyle(() => this.answers && this.draw());
  }

  /** Steps of the text that is typed. */
  get length() {
    return Math.max(1, Array.from(this.state.text).length - 1);
  }

  /** The step of the loss; of the sum, the last. */
  get at() {
    const { at, loss } = this.state;
    return loss === "sum" || at < 0 || at >= this.length ? this.length - 1 : at;
  }

  /** What the parts draw from: the state with the step made plain. */
  get shown() {
    return { ...this.state, at: Math.min(this.at, this.answers[0].losses.length - 1), sum: this.state.loss === "sum" };
  }

  set(change, wait = REST) {
    Object.assign(this.state, change);
    this.figure.keep(change);
    this.sliders.show(this.length);
    const here = Object.keys(change).every((name) => ["clip", "radius"].includes(name) || (name === "layer" && !this.radii));
    if (here) return this.answers && this.draw();
    this.stage.classList.add("waiting");
    clearTimeout(this.timer);
    this.abort?.abort();
    this.timer = setTimeout(() => this.run(), wait);
  }

  /** The loss of a step, because the reader said so. */
  go(at) {
    this.set({ at, loss: "step" });
    if (this.answers) this.draw();
  }

  async run() {
    const abort = (this.abort = new AbortController());
    const { state } = this;
    const body = {
      text: state.text, at: state.loss === "sum" ? null : this.at, weight_scale: state.weight_scale, forget_bias: state.forget_bias,
      chunk: state.chunk || null, radii: this.radii,
    };
    this.stage.classList.add("waiting");
    try {
      const told = await Promise.all(
        this.abouts.map(({ id, config }) => gradients(id, { ...body, layer: state.layer < 0 ? null : Math.min(state.layer, config.num_layers - 1) }, abort.signal)),
      );
      if (abort.signal.aborted) return;
      this.answers = told.map((one, k) => new Answer(this.abouts[k], one));
      this.problem.textContent = "";
      this.sliders.show(this.length);
      this.draw();
    } catch (error) {
      if (error.name === "AbortError" || abort.signal.aborted) return;
      this.problem.textContent = toldIn(error);
    }
    this.stage.classList.remove("waiting");
    this.figure.changed();
  }
}

/** An error in the reader's language where it has words for it. */
function toldIn(error) {
  if (error.code === "connection") return t("The server cannot be reached.");
  if (error.code === "text_too_short") return t("Type at least two characters: one is read, the next is guessed.");
  if (error.code === "unknown_characters") {
    const list = [...new Set((error.details?.characters ?? []).map(({ character }) => character))].join(" ");
    return t("This network has never seen: {list}.", { list });
  }
  const known = t(`error ${error.code}`);
  return known === `error ${error.code}` ? `${error.message} ${error.hint ?? ""}` : known;
}
