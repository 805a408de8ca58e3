/**
 * One run of a decoder: what it looks at, what it wrote step by step, and every point on the way.
 * A subclass says how the server is asked (`request`) and takes in what was read (`begin`).
 *
 * Events from the server queue up; a frame takes as many as there are, or at most `pace` steps a
 * second where a reader wants to watch. What is on the page stays until the server has begun.
 *
 * Events: `source` (read; the target is empty again), `step` (there is one more), `beam` (the
 * search went on), `done`, `problem` (`error` is an ApiError, or null), `state` (`busy` changed).
 */

import { ApiError } from "../api.js";
import { decode, shapeOf } from "../arrays.js";
import { Asking } from "../asking.js";
import { written } from "./tokens.js";

/** @typedef {{label: string}} Place  a source position: a word that was read, a cell of a picture */
/** @typedef {{token: string, token_id: number, probability: number}} Candidate */
/**
 * @typedef {object} TargetToken
 * @property {string} token @property {number} token_id @property {number} probability
 * @property {string} label  as views show it @property {boolean} joined  goes on with the word before
 * @property {string|null} copy  the source word that stands in the text for an `<unk>`, once done
 * @property {Candidate[]} top  the most likely tokens of this step, best first
 * @property {Float32Array|null} attention  a weight for each source position; null: no attention
 * @property {number|null} forced  the source position that a reader made it look at
 * @property {number|null} looked  the one position that hard attention looked at
 * @property {boolean} given  the network was made to write it @property {boolean} chosen  and it
 *   is not only kept from before: the reader chose it
 * @property {Record<string, Float32Array>} points  by name, without the target axis
 */
/** @typedef {{id: number, parent: number, step: number, token: string, token_id: number, log_probability: number, kept: boolean, ended: boolean}} BeamNode */
/** @typedef {{text: string, tokens: string[], token_ids: number[], log_probability: number, score: number}} Hypothesis */
export class DecoderRun extends Asking {
  /** @param {{id: string, points: {name: string, axes: string[], range: string}[]}} about */
  constructor(about) {
    super();
    this.about = about;
    this.attends = about.points.some((point) => point.name === "attention");
    this.pace = 0; // steps a second; 0: as they come
    this.queue = [];
    this.abort = null;
    this.options = null; // of the run that is on the page or under way
    this.clear();
  }

  clear() {
    /** @type {Place[]} */ this.source = [];
    /** @type {TargetToken[]} */ this.target = [];
    /** @type {BeamNode[]} */ this.tree = [];
    /** @type {Hypothesis[]} */ this.hypotheses = [];
    /** @type {Record<string, {axes: string[], range: string, data: Float32Array, shape: number[]}>} */
    this.sourcePoints = {};
    this.text = "";
    this.characters = false; // tokens are single characters
    this.sourceText = ""; // what was read, in a line
    this.ended = false; // by itself, with the end mark
    this.whole = false; // `done` has come
    this.logProbability = NaN;
    this.score = NaN;
  }

  /**
   * Run; the one before is given up.
   * @param {object} options  as `request` takes them
   * @param {{known?: number, picks?: Iterable<number>}} [how]  steps before `known` are on the page:
   *   they come at once; `picks` are the steps of the prefix that the reader chose
   */
  async start(options, { known = 0, picks = [] } = {}) {
    this.cancel();
    this.options = options;
    this.known = known;
    this.picks = new Set(picks);
    this.problem(null);
    const abort = (this.abort = new AbortController());
    this.become(true);
    let closed = false;
    try {
      await this.request(options, abort.signal, (event, data) => {
        if (abort.signal.aborted) return;
        closed ||= event === "done" || event === "error";
        this.queue.push([event, data]);
        this.wake();
      });
      if (!closed && !abort.signal.aborted) throw new ApiError({ code: "connection", message: "" });
    } catch (error) {
      this.fail(error, abort.signal);
    }
  }

  /** Take no more. */
  stop() {
    this.cancel();
    this.become(false);
  }

  cancel() {
    this.abort?.abort();
    this.abort = null;
    this.queue = [];
    clearTimeout(this.timer);
    this.timer = null;
    this.due = 0;
  }

  wake() {
    if (this.timer) return;
    this.timer = setTimeout(() => this.pump(), Math.max(0, (this.due ?? 0) - performance.now()));
  }

  /** Take what has come, up to the next step that is not due yet. */
  pump() {
    this.timer = null;
    const told = new Set();
    while (this.queue.length) {
      const paced = this.pace && this.queue[0][0] === "step" && this.target.length >= this.known;
      if (paced && performance.now() < this.due) break;
      const [event, data] = this.queue.shift();
      told.add(this.receive(event, JSON.parse(data)));
      if (paced) this.due = performance.now() + 1000 / this.pace;
    }
    for (const type of told) this.tell(type);
    if (told.has("done") || told.has("problem")) this.become(false);
    if (this.queue.length) this.wake();
  }

  /** Take in one event of the server; returns what to tell. */
  receive(event, data) {
    if (event === "start") return this.begin(data);
    if (event === "step") return this.step(data);
    if (event === "beam") {
      this.tree.push(...data.nodes);
      return "beam";
    }
    if (event === "done") return this.finish(data);
    if (event === "error") {
      this.queue = [];
      this.error = new ApiError(data.error);
      return "problem";
    }
    return "state"; // an event of a later server
  }

  /** The points of the source, by name. */
  takePoints(points) {
    for (const [name, { axes, range, data: array }] of Object.entries(points)) {
      this.sourcePoints[name] = { axes, range, data: decode(array), shape: shapeOf(array) };
    }
  }

  finish(data) {
    Object.assign(this, { text: data.text, ended: data.ended, hypotheses: data.hypotheses, whole: true });
    Object.assign(this, { logProbability: data.log_probability, score: data.score });
    return "done";
  }

  step(data) {
    const points = Object.fromEntries(Object.entries(data.points).map(([name, point]) => [name, decode(point.data)]));
    this.target.push({
      token: data.token,
      ...written(data.token, this.target.at(-1)?.token, this.characters),
      copy: null,
      token_id: data.token_id,
      probability: data.probability,
      top: data.top,
      attention: data.attention ? decode(data.attention) : null,
      forced: this.place(data.forced),
      looked: this.place(data.cell),
      given: data.given,
      chosen: data.given && this.picks.has(data.index),
      points,
    });
    return "step";
  }

  /** The source position that the server means. @returns {number|null} */
  place(told) {
    return told ?? null;
  }
}
