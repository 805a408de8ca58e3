/** One step of the decoder: what it wrote, and the eight likeliest tokens, each to be chosen. */

import { hue, sequential } from "../color.js";
import { make, mark, percent, short, surprise, t } from "../words.js";
import { isSign, written } from "./tokens.js";

const ROWS = 8;

export class StepPanel {
  /** @param {{run, link, onTake: (step: number, tokenId: number) => void}} options */
  constructor(host, { run, link, onTake }) {
    Object.assign(this, { run, link });
    this.step = -1;
    this.glyph = make("span", { class: "wrote", "aria-hidden": "true" });
    this.heading = make("h2");
    this.line = make("p", { class: "note" });
    this.title = make("h3", {}, t("could have stood here"));
    this.rows = Array.from({ length: ROWS }, () => {
      const bar = make("i", { class: "chance" });
      const word = make("b");
      const share = make("span", { class: "num" });
      const button = make("button", { type: "button", class: "candidate word" }, word, make("span", { class: "track" }, bar), share);
      button.addEventListener("click", () => onTake(this.step, Number(button.dataset.token)));
      return { button, bar, word, share };
    });
    this.list = make("ol", { class: "candidates" }, ...this.rows.map(({ button }) => make("li", {}, button)));
    this.hint = make("p", { class: "note" }, t("Choose one and the text goes on from it."));
    host.append(make("div", { class: "step-head" }, this.glyph, make("div", {}, this.heading, this.line)), this.title, this.list, this.hint);
  }

  /** The chosen step, else the newest. */
  get current() {
    const { target } = this.run;
    return this.link.pin.target >= 0 ? this.link.pin.target : target.length - 1;
  }

  draw() {
    const { run } = this;
    const step = (this.step = this.current);
    const token = run.target[step];
    for (const node of [this.title, this.list, this.hint]) node.hidden = !token;
    this.glyph.hidden = !token;
    if (!token) {
      this.heading.textContent = t("no step yet");
      this.line.textContent = t("what to do first");
      return;
    }
    this.glyph.textContent = token.label;
    this.heading.textContent = t("step {n}", { n: step });
    this.line.textContent = token.chosen
      ? t("your choice: it had {share}", { share: percent(token.probability) })
      : t("it had {share}, a surprise of {nats} nats", { share: percent(token.probability), nats: short(surprise(token.probability)) });
    this.fill(token);
  }

  fill({ top, token_id: chosen }) {
    const ramp = sequential(hue("y"));
    const { target, characters } = this.run;
    this.rows.forEach(({ button, bar, word, share }, rank) => {
      const candidate = top[rank];
      button.hidden = !candidate;
      if (!candidate) return;
      const { token, token_id: id, probability } = candidate;
      const end = token === "</s>";
      button.dataset.token = id;
      button.disabled = id === chosen;
      button.classList.toggle("chosen", id === chosen);
      button.setAttribute("aria-label", `${end ? t("end of the sentence") : token.trim() || mark(token)}: ${percent(probability)}. ${t("go on from it")}`);
      word.textContent = written(token, target[this.step - 1]?.token, characters).label;
      word.classList.toggle("sign", isSign(token));
      bar.style.transform = `scaleX(${probability})`;
      bar.style.background = ramp.css[Math.round(90 + 130 * probability)];
      share.textContent = percent(probability);
      button.title = String(probability);
    });
  }
}
