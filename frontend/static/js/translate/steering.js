/**
 * What is asked of the network: the sentence with its options and what the reader has changed, the
 * same without the changes to hold it against, and the same of a second network.
 */

import { ApiError } from "../api.js";
import { t } from "../words.js";
import { Edits } from "./edits.js";
import { Translation } from "./translation.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Steering {
  /** @param {{translation: Translation, sentence, link, partner, onRun: () => void}} parts */
  constructor(parts) {
    Object.assign(this, parts);
    this.edits = new Edits();
    this.former = new Translation(this.translation.about); // by itself, without the reader's changes
    this.formerKey = "";
    this.text = null; // that was asked for
    this.wanted = null; // [step, position] to be chosen once that step is there; null: where it looks most
  }

  /** What is asked without the reader's changes. */
  get plain() {
    return { text: this.text, ...this.sentence.options };
  }

  get ids() {
    return this.translation.target.map((token) => token.token_id);
  }

  /** Translate what stands in the field; another sentence forgets what was chosen for the old one. */
  begin() {
    if (this.sentence.text !== this.text) {
      this.edits.clear();
      this.link.choose();
    }
    this.run();
  }

  /** @param {number} known  steps before this one stay as they are: they come at once */
  run(known = 0) {
    const { sentence, edits, translation, former, plain: before } = this;
    if (!sentence.text.trim()) {
      sentence.field.focus();
      return translation.problem(new ApiError({ code: "empty_text", message: "", hint: t("Type a sentence and press Translate.") }, 422));
    }
    this.text = sentence.text;
    const plain = { ...before, text: this.text };
    translation.pace = calm.matches ? 0 : sentence.pace;
    translation.run({ ...plain, prefix: edits.prefix, force: edits.forced, points: null }, { known, picks: edits.chosen });
    const key = JSON.stringify(plain);
    if (!edits.empty && this.formerKey !== key) {
      this.formerKey = key;
      former.run({ ...plain, prefix: [], force: [], points: [] });
    }
    this.partner.run(plain);
    this.onRun();
  }

  stop() {
    if (this.translation.busy) this.sentence.say(t("stopped"));
    this.translation.stop();
    this.partner.stop();
  }

  /** The run is over: what the network does by itself is what changes are held against. */
  done() {
    const { translation, former, edits } = this;
    if (!edits.empty) return;
    for (const name of ["source", "target", "text", "whole", "characters"]) former[name] = translation[name];
    this.formerKey = JSON.stringify(this.plain);
  }

  /** Make a step look at one source position. */
  look(step, source) {
    const { edits, translation, sentence } = this;
    if (!translation.attends || !translation.target[step]) return;
    this.wanted = [step, source];
    // A search weighs whole sentences: to keep the words before the step, it is given them.
    edits.look(step, source, sentence.options.beam_size > 1 ? this.ids.slice(0, step) : []);
    this.run(step);
  }

  /** Let a step look by itself again. */
  release(step) {
    if (this.edits.force.has(step)) this.takeBack({ kind: "look", step });
  }

  /** Another token at a step. */
  take(step, token) {
    this.edits.take(step, token, this.ids);
    this.wanted = [step, null];
    this.run(step);
  }

  /** Read a whole hypothesis of the search. */
  read(tokens) {
    this.edits.read(tokens);
    this.run();
  }

  /** Take an edit back; without one, all. */
  takeBack(edit) {
    const { edits } = this;
    if (edits.empty) return;
    if (edit) edits.remove(edit);
    else edits.clear();
    this.run(edit?.step ?? 0);
  }

  /** Search with several beams, after what was chosen; a hypothesis that is read is let go. */
  search() {
    const { sentence, edits } = this;
    if (sentence.options.beam_size < 2) sentence.options = { ...sentence.options, beam_size: 4 };
    if (edits.whole) edits.cut(0);
    this.run();
  }
}
