/** A second network on the same sentence: its text, its alignment where it has one. */

import { checkpoint as fetchCheckpoint } from "../api.js";
import { textWords } from "../decoder/choices.js";
import { difference } from "../decoder/difference.js";
import { Link } from "../decoder/link.js";
import { TokenStrip } from "../decoder/token-strip.js";
import { inWords } from "../problem.js";
import { make, short, t } from "../words.js";
import { Alignment } from "./alignment.js";
import { Translation } from "./translation.js";

const POINTS = ["attention", "attention.energy"]; // all that is drawn of it

export class Partner {
  /**
   * @param {HTMLElement} host
   * @param {{translation, link, wake: () => void, onChange: () => void}} options
   */
  constructor(host, options) {
    Object.assign(this, { host, ...options });
    this.about = null;
    /** @type {Translation|null} */ this.second = null;
    this.changed = []; // words that the first network does not have
    this.own = new Link();
    this.own.addEventListener("change", () => {
      // A word of the sentence is the same word for both.
      const { source } = this.own.hover;
      if (source !== this.link.hover.source) this.link.point(this.link.hover.target, source);
      this.wake();
    });
  }

  get id() {
    return this.about?.id ?? "";
  }

  /** Take another network, or none. */
  async choose(id) {
    this.second?.stop();
    this.wanted = id;
    Object.assign(this, { second: null, about: null, alignment: null, asked: "" });
    this.host.replaceChildren();
    this.host.hidden = !id;
    if (!id) return this.onChange();
    this.host.append(make("p", { class: "note loading" }, t("loading")));
    try {
      const about = await fetchCheckpoint(id);
      if (this.wanted !== id) return; // another was chosen meanwhile
      this.about = about;
    } catch (error) {
      if (this.wanted === id) this.host.replaceChildren(make("p", { class: "note warn" }, inWords(error).join(" ")));
      return;
    }
    this.build();
    this.onChange();
  }

  build() {
    const { about, own } = this;
    const second = (this.second = new Translation(about));
    for (const type of ["source", "step", "done", "state", "problem"]) second.addEventListener(type, this.wake);
    second.addEventListener("done", () => this.compare());
    second.addEventListener("problem", () => this.compare());
    const strip = make("div", { class: "tokens" });
    this.strip = new TokenStrip(strip, "target", { run: second, link: own, label: about.title ?? about.id, onChoose: (k) => own.choose(k, own.pin.source) });
    this.line = make("p", { class: "note" });
    this.map = make("div", { class: "alignment" });
    this.host.replaceChildren(make("h3", { class: "figure-title" }, about.title ?? about.id), strip, this.line, this.map);
    if (second.attends) this.alignment = new Alignment(this.map, { translation: second, link: own, label: t("alignment of {title}", { title: about.title ?? about.id }) });
    else this.map.replaceChildren(make("p", { class: "note" }, t("It has no attention: of the whole sentence it kept one vector, so there is nothing to look at.")));
  }

  /** Translate the same sentence, by itself. @param {object} options */
  run(options) {
    if (!this.second) return;
    const asked = JSON.stringify(options);
    if (asked === this.asked) return this.compare();
    this.asked = asked;
    this.second.start({ ...options, prefix: [], force: [], points: this.second.attends ? POINTS : [] });
  }

  stop() {
    this.second?.stop();
  }

  /** Mark the words in which they differ, and say how sure each was. */
  compare() {
    const { second, translation } = this;
    if (!second) return;
    if (second.error) {
      this.asked = ""; // so that another try asks again
      this.line.textContent = inWords(second.error).join(" ");
      return;
    }
    const both = second.whole && translation.whole;
    this.changed = both ? difference(textWords(second.target), textWords(translation.target)).one : [];
    this.strip.seen = null; // to be built anew
    const mean = ({ target, logProbability }) => short(logProbability / Math.max(1, target.length));
    this.line.textContent = both ? t("log-probability a token: {a} above, {b} here. Words that differ are tinted.", { a: mean(translation), b: mean(second) }) : "";
    this.alignment?.describe();
    this.wake();
  }

  draw(now) {
    const { second, own, link, strip } = this;
    if (!second) return false;
    if (own.hover.source !== link.hover.source && own.hover.target < 0) own.point(-1, link.hover.source);
    if (strip.built !== second.target.length || strip.seen !== second.target) {
      strip.build(second.whole ? this.changed : []);
      strip.seen = second.target;
    }
    strip.paint();
    return this.alignment?.draw(now) ?? false;
  }
}
