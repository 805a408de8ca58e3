/**
 * What is asked of a network: what it is to read with its options and what the reader has changed,
 * the same without the changes to hold it against, and the same of a second network.
 */

import { t } from "../words.js";
import { Edits } from "./edits.js";

/**
 * @typedef {object} Desk  where a reader says what is wanted
 * @property {any} subject  what is to be read now @property {{beam_size: number}} options
 * @property {number} pace  steps a second
 * @property {(subject: any) => object} wish  the request for it, with the options
 * @property {() => import("../api.js").ApiError|null} missing  what is wrong where there is nothing
 * @property {(words: string) => void} say  to a listener
 */

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Steering {
  /**
   * @param {object} parts
   * @param {import("./run.js").DecoderRun} parts.run  that the page shows
   * @param {import("./run.js").DecoderRun} parts.former  the same without the reader's changes
   * @param {Desk} parts.desk @param {import("./link.js").Link} parts.link
   * @param {{run: (wish: object) => void, stop: () => void}|null} [parts.partner]
   * @param {() => void} parts.onRun
   */
  constructor({ run, former, desk, link, partner = null, onRun }) {
    Object.assign(this, { run, former, desk, link, partner, onRun });
    this.edits = new Edits();
    this.formerKey = "";
    this.subject = null; // that was asked for
    this.wanted = null; // [step, position] to be chosen once that step is there; null: where it looks most
  }

  /** What is asked without the reader's changes. */
  get plain() {
    return this.desk.wish(this.subject);
  }

  get ids() {
    return this.run.target.map((token) => token.token_id);
  }

  /** Run on what is there; another subject forgets what was chosen for the old one. */
  begin() {
    if (this.desk.subject !== this.subject) {
      this.edits.clear();
      this.link.choose();
    }
    this.ask();
  }

  /** @param {number} known  steps before this one stay as they are: they come at once */
  ask(known = 0) {
    const { desk, edits, run, former } = this;
    const missing = desk.missing();
    if (missing) return run.problem(missing);
    this.subject = desk.subject;
    const { plain } = this;
    run.pace = calm.matches ? 0 : desk.pace;
    run.start({ ...plain, prefix: edits.prefix, force: edits.forced, points: null }, { known, picks: edits.chosen });
    const key = JSON.stringify(plain);
    if (!edits.empty && this.formerKey !== key) {
      this.formerKey = key;
      former.start({ ...plain, prefix: [], force: [], points: [] });
    }
    this.partner?.run(plain);
    this.onRun();
  }

  stop() {
    if (this.run.busy) this.desk.say(t("stopped"));
    this.run.stop();
    this.partner?.stop();
  }

  /** The run is over: what the network does by itself is what changes are held against. */
  done() {
    const { run, former, edits } = this;
    if (!edits.empty) return;
    for (const name of ["source", "target", "text", "whole", "characters"]) former[name] = run[name];
    this.formerKey = JSON.stringify(this.plain);
  }

  /** Make a step look at one source position. */
  look(step, source) {
    const { edits, run, desk } = this;
    if (!run.attends || !run.target[step]) return;
    this.wanted = [step, source];
    // A search weighs whole sentences: to keep the words before the step, it is given them.
    edits.look(step, source, desk.options.beam_size > 1 ? this.ids.slice(0, step) : []);
    this.ask(step);
  }

  /** Let a step look by itself again. */
  release(step) {
    if (this.edits.force.has(step)) this.takeBack({ kind: "look", step });
  }

  /** Another token at a step. */
  take(step, token) {
    this.edits.take(step, token, this.ids);
    this.wanted = [step, null];
    this.ask(step);
  }

  /** Read a whole hypothesis of the search. */
  read(tokens) {
    this.edits.read(tokens);
    this.ask();
  }

  /** Take an edit back; without one, all. */
  takeBack(edit) {
    const { edits } = this;
    if (edits.empty) return;
    if (edit) edits.remove(edit);
    else edits.clear();
    this.ask(edit?.step ?? 0);
  }

  /** Search with several beams, after what was chosen; a hypothesis that is read is let go. */
  search() {
    const { desk, edits } = this;
    if (desk.options.beam_size < 2) desk.options = { ...desk.options, beam_size: 4 };
    if (edits.whole) edits.cut(0);
    this.ask();
  }
}
