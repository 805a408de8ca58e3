/**
 * A photo put into words, and where each word looked: the lab's photo in the light of attention. Choose
 * a word to see its light; take the ring and put it elsewhere to make the word look there.
 *
 * Options: checkpoint; photo: the name of an example; word: the number of the one that is chosen,
 * from 0; without it, that which looks most sharply.
 * Values for exercises: words; probability and weight (the largest) of the chosen word; spread: over
 * how many cells its attention lies; forced: how many words were made to look elsewhere.
 */

import { checkpoint } from "../../api.js";
import { Caption } from "../../caption/caption.js";
import { spreadOf } from "../../caption/cells.js";
import { sharpest } from "../../caption/notes.js";
import { readPicture } from "../../caption/picture.js";
import { Region } from "../../caption/region.js";
import { Stage } from "../../caption/stage.js";
import { Trust } from "../../caption/trust.js";
import { View } from "../../caption/view.js";
import { forgetColors } from "../../color.js";
import { Link } from "../../decoder/link.js";
import { TokenStrip } from "../../decoder/token-strip.js";
import { inWords } from "../../problem.js";
import { make, pageData, percent, t } from "../../words.js";
import { photoBlob, photoRow, photos, photoTitle } from "../photos.js";

const MOST = 30; // tokens

export async function mount(stage, options, figure) {
  const about = await checkpoint(options.checkpoint);
  if (about.status !== "ready") throw new Error(about.reason || about.status);
  const view = new CaptionView(stage, { photo: photos[0], word: -1, ...options }, figure, about);
  await view.take(view.options.photo);
  return view;
}

class CaptionView {
  constructor(stage, options, figure, about) {
    Object.assign(this, { options, figure, picture: null, force: new Map(), wanted: options.word });
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
    const title = make("a", { class: "quieter", href: `/${pageData.language}/lab/${about.id}` }, about.title || about.id);
    stage.replaceChildren(
      make("div", { class: "caption-head" }, photoRow(options.photo, (photo) => this.change(photo)), title),
      this.problem,
      make("div", { class: "caption-body" }, host, make("div", {}, words, this.told, trust)),
    );
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
    new MutationObserver(() => {
      forgetColors();
      this.stage.key = "";
      this.wake();
    }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-present"] });
  }

  /** Another photo, chosen by the reader. */
  change(photo) {
    this.figure.keep({ photo, word: -1 });
    this.force.clear();
    this.wanted = -1;
    this.take(photo).catch((error) => (this.problem.textContent = error.message));
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
    run.start({ picture, max_new_tokens: MOST, force: [...force], points: run.attends ? ["attention"] : [] });
    this.wake();
  }

  /** A word is made to look at a cell, or by itself again; what follows is written anew. */
  look(step, cell) {
    if (cell === null) this.force.delete(step);
    else this.force.set(step, cell);
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
    this.figure.changed();
    if (more) this.wake();
  }

  /** The chosen word in numbers. */
  tell() {
    const { run, view } = this;
    const token = run.target[view.step];
    if (!token?.attention) return (this.told.textContent = token ? percent(token.probability) : "");
    const most = Math.max(...token.attention);
    const cell = run.source[token.attention.indexOf(most)].label;
    this.told.textContent = t("{word}, probability {share}; it looks most at {cell}: {weight}", { word: token.label, share: percent(token.probability), cell, weight: percent(most) });
  }

  values() {
    const { run, link, force } = this;
    const token = run.target[link.pin.target];
    const found = { words: run.target.length, forced: force.size, probability: token?.probability ?? NaN };
    if (token?.attention) Object.assign(found, { weight: Math.max(...token.attention), spread: spreadOf(token.attention) });
    return found;
  }
}
