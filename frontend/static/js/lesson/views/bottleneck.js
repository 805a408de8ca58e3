/**
 * Two translators of the same size on the same sentence, which can grow word by word: what each
 * keeps of it, as a map, and what it writes; above, how good each is by length, as measured.
 *
 * Options: checkpoints: the one without attention first; text; words: how many of its words are
 * read (0: all); stops: the numbers of words at which the slider rests (of the lesson's own text;
 * else every one); chart: false leaves the chart out.
 * Values for exercises: words (read), kept.0 and kept.1 (numbers that a decoder can look at),
 * differing (words of the first text that the second does not have in their place), agreed (the
 * words read where both wrote the same text, else 0).
 */

import { checkpoint } from "../../api.js";
import { onRestyle } from "../../color.js";
import { textWords } from "../../decoder/choices.js";
import { difference } from "../../decoder/difference.js";
import { Link } from "../../decoder/link.js";
import { TokenStrip } from "../../decoder/token-strip.js";
import { inWords } from "../../problem.js";
import { LengthChart } from "../../translate/length-chart.js";
import { Translation } from "../../translate/translation.js";
import { make, pageData, t } from "../../words.js";
import { MemoryMap } from "../memory-map.js";
import { whenTyped } from "../typing.js";

const REST = 350; // ms after typing before the sentence is read
const FEWEST = 2; // words that the slider goes down to

export async function mount(stage, options, figure) {
  const about = await Promise.all(options.checkpoints.map(checkpoint));
  const broken = about.find(({ status }) => status !== "ready");
  if (broken) throw new Error(broken.reason || broken.status);
  return new Bottleneck(stage, { words: 0, stops: [], chart: true, ...options }, figure, about);
}

/** The words of a sentence, without the full stop at its end. */
const wordsIn = (text) => text.trim().replace(/[.\s]+$/, "").split(/\s+/).filter(Boolean);

class Bottleneck {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, options, about });
    this.own = figure.options.text; // of the lesson: the stops are its
    this.field = make("input", { class: "field", type: "text", value: options.text, maxlength: "300", spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    this.slider = make("input", { type: "range", min: "0", step: "1", "aria-label": t("words that are read") });
    this.told = make("output", { class: "num" });
    this.read = make("p", { class: "bottleneck-read", role: "status" });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.pair = about.map((one) => this.network(one));
    const chart = make("div", {});
    const said = about.map((one) => this.standard(one)).filter(Boolean);
    stage.replaceChildren(
      make("div", { class: options.chart ? "bottleneck charted" : "bottleneck" },
        ...(options.chart ? [make("div", { class: "bottleneck-measured" }, chart, make("p", { class: "note bottleneck-standard" }, said.join(" ")))] : []),
        make("div", { class: "bottleneck-work" },
          make("div", { class: "bottleneck-head" }, this.field, make("label", {}, `${t("words that are read")} `, this.slider, " ", this.told)),
          this.read, this.problem,
          make("div", { class: "bottleneck-pair" }, ...this.pair.map(({ node }) => node)))),
    );
    // Attention comes first there: its line is the solid one.
    if (options.chart) this.chart = new LengthChart(chart, { checkpoints: [...about].reverse() });
    whenTyped(this.field, REST, () => this.take());
    this.slider.addEventListener("input", () => {
      const words = this.stops[Number(this.slider.value)];
      figure.keep({ words: words === this.stops.at(-1) ? 0 : words });
      this.ask(words);
    });
    new ResizeObserver(() => this.wake()).observe(stage);
    onRestyle(() => this.wake());
    this.take(options.words, false);
  }

  /** How good a network is on the whole test. */
  standard({ title, id, figures = {} }) {
    if (figures.bleu) return t("{title}: BLEU {value} on all of it, {greedy} where only one beginning is kept.", { title: title ?? id, value: figures.bleu.toFixed(1), greedy: figures.bleu_greedy?.toFixed(1) ?? "" });
    return "";
  }

  /** One network: its name, what it keeps, what it writes. */
  network(about) {
    const run = new Translation(about);
    const link = new Link();
    const words = make("div", { class: "tokens" });
    const strip = new TokenStrip(words, "target", { run, link, label: about.title ?? about.id, onChoose: () => {} });
    const map = new MemoryMap(make("div", {}), { run, name: about.title ?? about.id });
    const title = make("a", { href: `/${pageData.language}/lab/${about.id}` }, about.title ?? about.id);
    const node = make("section", { class: "bottleneck-one" }, make("p", { class: "bottleneck-title" }, title), words, map.host);
    run.addEventListener("done", () => this.done());
    run.addEventListener("problem", () => (this.problem.textContent = run.error ? inWords(run.error).filter(Boolean).join(" ") : ""));
    return { about, run, strip, map, node };
  }

  /** The text of the field, and where the slider may rest. */
  take(words = 0, keep = true) {
    const text = this.field.value;
    const all = wordsIn(text).length;
    if (!all) return;
    const every = Array.from({ length: Math.max(1, all - FEWEST + 1) }, (_, k) => Math.min(all, k + FEWEST));
    this.stops = text === this.own && this.options.stops.length ? this.options.stops : every;
    const at = this.stops.indexOf(words);
    this.slider.max = String(this.stops.length - 1);
    this.slider.value = String(at < 0 ? this.stops.length - 1 : at);
    this.slider.disabled = this.stops.length < 2;
    if (keep) this.figure.keep({ text, words: 0 });
    this.ask(this.stops[Number(this.slider.value)]);
  }

  /** Read the first words of the text. */
  ask(words) {
    const all = wordsIn(this.field.value);
    this.words = words;
    this.told.textContent = `${words} / ${all.length}`;
    this.slider.setAttribute("aria-valuetext", String(words));
    const text = words >= all.length ? this.field.value.trim() : `${all.slice(0, words).join(" ").replace(/,$/, "")}.`;
    this.read.textContent = text;
    this.chart?.mark(words);
    this.differ = null;
    clearTimeout(this.waiting);
    // A slider that is drawn along asks once it rests.
    this.waiting = setTimeout(() => {
      for (const { run, map } of this.pair) run.start({ text, points: [map.point] });
    }, this.pair[0].run.options ? 120 : 0);
  }

  done() {
    const [one, two] = this.pair;
    if (!one.run.whole || !two.run.whole || one.run.sourceText !== two.run.sourceText) return;
    this.differ = difference(textWords(one.run.target), textWords(two.run.target));
    one.strip.build(this.differ.one);
    two.strip.build(this.differ.two);
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const { map, strip } of this.pair) {
        map.draw();
        strip.paint();
      }
      this.figure.changed();
    });
  }

  values() {
    const { differ, words, pair } = this;
    const differing = differ ? differ.one.filter(Boolean).length : NaN;
    const same = differ && !differ.one.some(Boolean) && !differ.two.some(Boolean);
    const kept = Object.fromEntries(pair.map(({ map }, k) => [`kept.${k}`, map.size]));
    return { words, differing, agreed: differ ? (same ? words : 0) : NaN, ...kept };
  }
}
