/**
 * One network at a photo in a lesson: the photo in the light of attention, the caption word by word,
 * the chosen word in numbers, and, where it is asked for, the arithmetic of one word and one cell.
 */

import { Caption } from "../caption/caption.js";
import { spreadOf } from "../caption/cells.js";
import { sharpest } from "../caption/notes.js";
import { readPicture } from "../caption/picture.js";
import { Region } from "../caption/region.js";
import { Stage } from "../caption/stage.js";
import { Trust } from "../caption/trust.js";
import { View } from "../caption/view.js";
import { onRestyle } from "../color.js";
import { ArithmeticPanel } from "../decoder/arithmetic-panel.js";
import { Link } from "../decoder/link.js";
import { TokenStrip } from "../decoder/token-strip.js";
import { inWords } from "../problem.js";
import { make, percent, t } from "../words.js";
import { labLink } from "./checkpoint.js";
import { photoBlob, photos, photoTitle } from "./photos.js";

const MOST = 30; // tokens

// What the arithmetic of a cell is made of, beside the weights.
const PARTS = ["attention", "attention.energy", "attention.query", "attention.key", "attention.v", "annotation", "context", "gate"];

export class CaptionView {
  /**
   * @param {HTMLElement} stage
   * @param {{word: number, arithmetic?: boolean}} options  `word`: -1: the one that looks most sharply
   * @param {import("./figure.js").Figure} figure @param {any} about @param {HTMLElement|null} head
   */
  constructor(stage, options, figure, about, head = null) {
    Object.assign(this, { options, figure, about, picture: null, force: new Map(), before: new Map(), wanted: options.word });
    this.run = new Caption(about);
    this.link = new Link();
    const { run, link } = this;
    const region = new Region(run.columns);
    this.view = new View(run, link);
    const host = make("div", { class: "caption-picture" });
    const words = make("div", { class: "tokens caption-words" });
    const trust = make("div", { class: "caption-trust" });
    this.told = make("p", { class: "caption-told", role: "status" });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.words = new TokenStrip(words, "target", { run, link, label: t("the caption, word by word"), onChoose: (k) => this.choose(k) });
    this.trust = new Trust(trust, run);
    const title = labLink(about);
    stage.replaceChildren(
      make("div", { class: "caption-head" }, ...(head ? [head] : []), title),
      this.problem,
      make("div", { class: "caption-body" }, host, make("div", {}, words, this.told, trust)),
    );
    if (options.arithmetic) {
      const numbers = make("section", { class: "caption-numbers" });
      stage.append(numbers);
      this.arithmetic = new ArithmeticPanel(numbers, {
        run, link, score: run.attends ? "additive" : "none", annotation: "a",
        onForce: (step, cell) => this.look(step, cell), onRelease: (step) => this.look(step, null), onUnit: () => {},
      });
    }
    this.stage = new Stage(host, {
      run, link, view: this.view, region, picture: () => this.picture, label: t("stage keys"),
      onForce: (step, cell) => this.look(step, cell), onRelease: (step) => this.look(step, null),
    });
    region.addEventListener("change", () => this.wake());
    link.addEventListener("change", () => this.wake());
    run.addEventListener("problem", () => (this.problem.textContent = run.error ? inWords(run.error).filter(Boolean).join(" ") : ""));
    run.addEventListener("step", () => this.words.build());
    run.addEventListener("done", () => this.done());
    new ResizeObserver(() => this.wake()).observe(host);
    onRestyle(() => {
      this.stage.key = "";
      this.wake();
    });
  }

  /** Another photo, chosen by the reader. */
  change(photo) {
    this.force.clear();
    this.wanted = -1;
    return this.take(photo).catch((error) => (this.problem.textContent = error.message));
  }

  async take(photo) {
    const name = photos.includes(photo) ? photo : photos[0];
    this.asked = name;
    const picture = await readPicture(await photoBlob(name), { id: name, title: photoTitle(name) });
    if (this.asked !== name) return; // the reader has gone on
    this.picture = picture;
    this.link.choose();
    this.ask();
  }

  ask() {
    const { run, picture, force } = this;
    run.start({ picture, max_new_tokens: MOST, force: [...force], points: this.points() });
    this.wake();
  }

  /** The points that the figure shows, of those that the network has. */
  points() {
    const { about, arithmetic } = this;
    const wanted = arithmetic ? PARTS : ["attention", "gate"];
    return wanted.filter((name) => about.points.some((point) => point.name === name));
  }

  /** A word is made to look at a cell, or by itself again; what follows is written anew. */
  look(step, cell) {
    if (cell === null) this.force.delete(step);
    else this.force.set(step, cell);
    const { target } = this.run;
    if (target[step]?.forced === null) this.before.set(step, target[step]);
    this.wanted = step;
    this.ask();
  }

  done() {
    const { run, wanted } = this;
    this.words.build();
    const most = run.target.length - 1;
    this.choose(wanted >= 0 ? Math.min(wanted, most) : run.attends ? sharpest(run) : -1, false);
    this.trust.draw();
  }

  choose(step, keep = true) {
    if (keep) this.figure.keep({ word: step });
    this.link.choose(step);
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.frame = null;
    this.words.paint();
    const more = this.stage.draw(now);
    this.tell();
    this.arithmetic?.draw();
    this.figure.changed();
    if (more) this.wake();
  }

  /** The chosen word in numbers. */
  tell() {
    const { run, view } = this;
    const token = run.target[view.step];
    if (!token?.attention) return (this.told.textContent = token ? t("{word}, probability {share}", { word: token.label, share: percent(token.probability) }) : "");
    const most = Math.max(...token.attention);
    const cell = run.source[token.attention.indexOf(most)].label;
    const gate = token.points.gate?.[0];
    const admitted = gate === undefined ? "" : t(", gate β {share}", { share: percent(gate) });
    this.told.textContent = t("{word}, probability {share}; it looks most at {cell}: {weight}", { word: token.label, share: percent(token.probability), cell, weight: percent(most) }) + admitted;
  }

  values() {
    const { run, link, force } = this;
    const token = run.target[link.pin.target];
    const found = { words: run.target.length, forced: force.size, probability: token?.probability ?? NaN };
    const before = this.before.get(link.pin.target); // when it looked by itself
    found.gain = token && token.forced !== null && before?.label === token.label ? token.probability - before.probability : 0;
    if (token?.points.gate) found.gate = token.points.gate[0];
    if (token?.attention) Object.assign(found, { weight: Math.max(...token.attention), spread: spreadOf(token.attention) });
    return found;
  }
}
