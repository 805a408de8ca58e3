/**
 * A sentence into another language, and what each word of it looked at: the lab's alignment, over a
 * sentence that the reader types.
 *
 * Options: checkpoint; text; word: the number of the written word that is chosen, from 0; show: the
 * map, and the same as threads, in any choice of both.
 * Values for exercises: source_tokens, target_tokens, more (target_tokens - source_tokens); weight and
 * place (from 0) of what the chosen word looks at most; crossings: pairs of written words whose places
 * stand the other way round (`threads`).
 */

import { onRestyle } from "../../color.js";
import { strongestOf } from "../../decoder/arithmetic.js";
import { Link } from "../../decoder/link.js";
import { TokenStrip } from "../../decoder/token-strip.js";
import { inWords } from "../../problem.js";
import { Alignment } from "../../translate/alignment.js";
import { Translation } from "../../translate/translation.js";
import { make, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { crossings, Threads } from "../threads.js";
import { whenTyped } from "../typing.js";

const REST = 350; // ms after typing before the sentence is read

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  return new TranslationView(stage, { text: about.prompt ?? "", word: -1, show: ["map"], ...options }, figure, about);
}

class TranslationView {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, wanted: options.word });
    this.run = new Translation(about);
    this.link = new Link();
    const { run, link } = this;
    const field = make("input", { class: "field translation-text", type: "text", value: options.text, spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    const words = make("div", { class: "tokens" });
    const map = make("div", { class: "translation-map" });
    const silent = make("p", { class: "note" }, t("It has no attention: of the whole sentence it kept one vector, so there is nothing to look at."));
    this.problem = make("p", { class: "broken", role: "alert" });
    const title = labLink(about);
    const lines = make("div", { class: "translation-threads" });
    const shown = (name) => run.attends && options.show.includes(name);
    map.hidden = !shown("map");
    stage.replaceChildren(make("div", { class: "translation-head" }, field, title), this.problem, words, run.attends ? make("div", { class: shown("threads") && shown("map") ? "translation-both" : "" }, ...(shown("threads") ? [lines] : []), map) : silent);
    this.words = new TokenStrip(words, "target", { run, link, label: t("target words"), onChoose: (k) => this.choose(k) });
    if (shown("threads")) this.threads = new Threads(lines, { run, link });
    if (shown("map")) this.alignment = new Alignment(map, { translation: run, link, label: t("alignment, to be read") });
    whenTyped(field, REST, () => {
      figure.keep({ text: field.value, word: -1 });
      this.wanted = -1;
      this.ask(field.value);
    });
    for (const type of ["source", "step"]) run.addEventListener(type, () => (this.words.build(), this.wake()));
    run.addEventListener("done", () => this.done());
    run.addEventListener("problem", () => (this.problem.textContent = run.error ? inWords(run.error).filter(Boolean).join(" ") : ""));
    link.addEventListener("change", () => this.wake());
    new ResizeObserver(() => this.wake()).observe(map);
    onRestyle(() => this.wake());
    this.ask(options.text);
  }

  ask(text) {
    const { run } = this;
    if (!text.trim()) return;
    const points = ["attention.energy"].filter((name) => run.about.points.some((point) => point.name === name));
    run.start({ text, points });
  }

  done() {
    const { run, link, wanted } = this;
    link.limit(run.target.length, run.source.length);
    this.words.build();
    this.choose(Math.max(0, Math.min(wanted, run.target.length - 1)), false);
    this.alignment?.describe();
  }

  /** Choose a written word, and what it looks at most. */
  choose(step, keep = true) {
    const attention = this.run.target[step]?.attention;
    if (keep) this.figure.keep({ word: step });
    this.link.choose(step, attention ? strongestOf(attention) : -1);
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => {
      this.frame = null;
      this.words.paint();
      this.threads?.draw();
      if (this.alignment?.draw(now)) this.wake();
      this.figure.changed();
    });
  }

  values() {
    const { run, link } = this;
    const [read, written] = [run.source.length, run.target.length];
    const attention = run.target[link.pin.target]?.attention;
    const place = attention ? strongestOf(attention) : -1;
    return { source_tokens: read, target_tokens: written, more: written - read, place, weight: attention?.[place] ?? NaN, crossings: run.whole ? crossings(run).length : NaN };
  }
}
