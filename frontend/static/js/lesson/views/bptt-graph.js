/**
 * A small network unrolled, with the loss at each step and what comes back: the gradient's norm at
 * every state and on every arrow from a step to the one before it.
 *
 * Options: checkpoint; text; at: the step whose loss is followed back, -1 the last; loss: step or sum;
 * chunk, 0 the whole text; layer, -1 the last; controls: some of text, chunk, loss, weight_scale.
 * Values for exercises: those of `gradient-numbers.js`, `at`, `chunk`, `carried.<t>` and `reach.<t>`.
 */

import { make, t } from "../../words.js";
import { BpttGraph } from "../bptt-drawing.js";
import { GradientBench, opened, USUAL } from "../gradient-bench.js";
import { quoted } from "../gradient-data.js";
import { valuesOf } from "../gradient-numbers.js";

export async function mount(stage, options, figure) {
  const all = { ...USUAL, checkpoint: "hello-rnn", text: "good i am", loss: "sum", controls: ["text", "chunk", "loss"], show: [], ...options };
  const view = new Graph(stage, all, figure, await opened(all.checkpoint));
  await view.run();
  return view;
}

class Graph extends GradientBench {
  constructor(stage, options, figure, abouts) {
    super(stage, options, figure, abouts);
    const place = make("div", { class: "gb-stage" });
    this.told = make("p", { class: "gb-told", role: "status" });
    stage.append(place, this.told);
    this.graph = new BpttGraph(place, { onGo: (at) => this.go(at), onSum: () => this.set({ loss: "sum" }, 0) });
    this.watch(place);
  }

  draw() {
    const { shown } = this;
    const [answer] = this.answers;
    this.graph.draw(answer, shown);
    const letter = (step) => quoted(answer.tokens[step]);
    this.told.textContent = shown.sum
      ? t("The losses of all steps are added, and the gradient of the sum goes back.")
      : t("Only the loss of step {n} goes back: it read {character} and had to guess {next}.", { n: shown.at, character: letter(shown.at), next: letter(shown.at + 1) });
    this.figure.changed();
  }

  values() {
    if (!this.answers) return {};
    const { state, shown } = this;
    const [answer] = this.answers;
    const found = { at: this.at, chunk: state.chunk, weight_scale: state.weight_scale, ...valuesOf(this.answers, shown) };
    const [line] = answer.lines(shown.layer, answer.truncated ?? answer.whole);
    line.log.forEach((log, step) => {
      found[`reach.${step}`] = 10 ** log;
      found[`carried.${step}`] = 10 ** line.carried[step];
    });
    return found;
  }
}
