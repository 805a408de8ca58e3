/** Sentences being learned: how likely each next character was thought, and what is written. */

import { color, hue, inkOn, sequential } from "../../color.js";
import { make, mark, percent, t } from "../../words.js";

export class SentencesPanel {
  constructor(host) {
    this.strips = make("div", { class: "training-sentences" });
    this.written = make("div", { class: "training-written" });
    this.ramp = make("canvas", { class: "training-ramp", width: "128", height: "1", "aria-hidden": "true" });
    const scale = make("p", { class: "training-scale note small" }, make("span", { class: "num" }, "0"), this.ramp, make("span", { class: "num" }, "1"), t("probability that it gives to the character, which is the right one"));
    host.append(make("h3", {}, t("training sentences")), this.strips, scale, make("h3", {}, t("training writes")), this.written);
  }

  /** @param {import("./run.js").Run} run @param {number} at */
  draw(run, at) {
    const { fixed, frames } = run;
    if (!fixed || !frames[at]) return;
    const { texts, arrays } = frames[at];
    const ramp = sequential(hue("y")).css;
    this.paintRamp(ramp);
    const [, steps] = arrays.right.shape;
    this.strips.replaceChildren(...fixed.texts.sentences.map((sentence, row) => {
      const likely = arrays.right.values.subarray(row * steps, (row + 1) * steps);
      const cells = Array.from(sentence, (character, k) => this.cell(character, k ? likely[k - 1] : null, ramp));
      const mean = likely.reduce((sum, p) => sum + p, 0) / steps;
      return make("div", { class: "training-sentence", role: "img", "aria-label": t("“{text}”: probability of the right character {share} on average", { text: sentence.trim(), share: percent(mean) }) }, ...cells);
    }));
    this.written.replaceChildren(...texts.written.map((text, row) => this.line(text, fixed.texts.prompts[row], fixed.texts.sentences[row])));
  }

  cell(character, probability, ramp) {
    const cell = make("span", { class: "cell num" }, mark(character));
    if (probability === null) return cell;
    const css = ramp[Math.round(255 * probability)];
    cell.style.background = css;
    cell.style.color = inkOn(css);
    cell.title = `${mark(character)}: ${percent(probability)}`;
    return cell;
  }

  /** A text that it writes: what was given, then each character, marked where it is not the sentence's. */
  line(text, prompt, sentence) {
    const line = make("p", { class: "num" }, make("b", {}, prompt));
    let wrong = 0;
    Array.from(text).slice(prompt.length).forEach((character, k) => {
      const right = character === sentence[prompt.length + k];
      wrong += !right;
      line.append(make("span", { class: right ? "right" : "wrong" }, character === " " && right ? " " : mark(character)));
    });
    line.setAttribute("aria-label", wrong ? `${text}: ${t("{n} characters are not the sentence's", { n: wrong })}` : `${text}: ${t("as it was learned")}`);
    return line;
  }

  paintRamp(ramp) {
    const context = this.ramp.getContext("2d");
    for (let k = 0; k < 128; k++) {
      context.fillStyle = ramp[2 * k];
      context.fillRect(k, 0, 1, 1);
    }
  }

  /** The same in small, for the film strip. */
  thumbnail(context, run, frame, left, top, width, height) {
    const { values, shape: [rows, steps] } = frame.arrays.right;
    const ramp = sequential(color("--q-y")).css;
    const [w, h] = [width / steps, height / rows];
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < steps; k++) {
        context.fillStyle = ramp[Math.round(255 * values[row * steps + k])];
        context.fillRect(left + k * w, top + row * h, w + 0.5, h - 1);
      }
    }
  }
}
