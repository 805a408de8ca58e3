/**
 * A network that gives every word a tag, unrolled in both directions: the words below, one row of
 * cells that is read from left to right, one from right to left, and above each word the tag that
 * both its states give, with how sure it is. A click on a word shows the probability of every tag.
 *
 * Options: checkpoint; text (default: the network's own); at: the word whose tags are shown; show:
 * some of graph, tags, states (default: graph, tags).
 * examples: texts to click (default: the network's own; []: none).
 * Values for exercises: at; length; unknown: words without a row of their own; confidence: of the
 * word shown; tag: the number of its likeliest tag; probability.<tag>: of the word shown;
 * least: the lowest confidence of all words.
 */

import { tag } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { make, percent, t } from "../../words.js";
import { ready } from "../checkpoint.js";
import { Desk, bars, columnsOf, stateMap } from "../reading-desk.js";
import { graphKey, tagGraph } from "../tag-graph.js";

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Tagger(stage, { text: about.prompt ?? "", at: 0, show: ["graph", "tags"], ...options }, figure, about);
  await view.desk.read();
  return view;
}

class Tagger {
  constructor(stage, options, figure, about) {
    Object.assign(this, { options, figure, about, at: Number(options.at) });
    const names = about.points.map((point) => point.name);
    this.both = names.some((name) => name.includes(".reverse."));
    this.points = this.shows("states") ? names.filter((name) => name.endsWith(".h")) : [];
    this.desk = new Desk({
      text: options.text, about, examples: options.examples,
      ask: (text, signal) => tag(about.id, { text, points: this.points }, signal),
      show: (answer) => this.arrived(answer),
      onText: (text) => figure.keep({ text }),
    });
    this.scroll = make("div", { class: "label-scroll" });
    this.side = make("div", { class: "tag-side", role: "status" });
    stage.replaceChildren(this.desk.element, make("div", { class: "tagger" }, this.scroll, this.side));
    onRestyle(() => this.draw());
  }

  shows(name) {
    return this.options.show.includes(name);
  }

  arrived(answer) {
    const points = Object.entries(answer.points).map(([name, { range, data }]) => ({ name, range, values: decode(data), shape: shapeOf(data) }));
    this.found = { ...answer, probabilities: decode(answer.probabilities), points };
    this.draw();
    this.figure.changed();
  }

  get word() {
    return Math.max(0, Math.min(this.at, this.found.tokens.length - 1));
  }

  /** Probabilities of the tags of a word. */
  row(at) {
    const count = this.found.labels.length;
    return this.found.probabilities.subarray(at * count, (at + 1) * count);
  }

  go(at, focus = false) {
    this.at = at;
    this.figure.keep({ at });
    this.draw();
    if (focus) this.scroll.querySelector(`[data-word="${this.word}"]`)?.focus();
  }

  draw() {
    if (!this.found) return;
    const { found } = this;
    const sure = found.tokens.map((_, k) => Math.max(...this.row(k)));
    const columns = columnsOf(found.tokens, found.tags);
    const parts = [];
    if (this.shows("graph")) parts.push(tagGraph(found, columns, { sure, at: this.word, both: this.both, names: nameOf, onGo: (at, focus) => this.go(at, focus) }), graphKey(this.both));
    for (const point of found.points) parts.push(stateMap(point, columns));
    this.scroll.replaceChildren(...parts);
    if (this.shows("tags")) this.tell(sure);
    this.figure.changed();
  }

  /** The word that is chosen, and the probability of every tag. */
  tell(sure) {
    const { found, word } = this;
    const known = found.known[word];
    const title = make("h3", { class: known ? "" : "unknown" }, found.tokens[word]);
    const said = make("p", { class: "label-answer" }, make("b", {}, found.tags[word]), " ", make("span", { class: "quiet" }, nameOf(found.tags[word])), " ", make("span", { class: "num" }, percent(sure[word])));
    const spells = this.about.config?.piece_size !== 0;
    const strange = known ? [] : [make("p", { class: "note" }, t(spells ? "The network has no row for this word: it reads its beginning, its endings and its shape, and the words around it." : "The network has no row for this word: it reads the words around it."))];
    this.side.replaceChildren(title, said, bars(found.labels, this.row(word), { names: (label) => [label, nameOf(label)].join("  ") }), ...strange);
  }

  values() {
    if (!this.found) return {};
    const { found, word } = this;
    const row = this.row(word);
    const confidence = Math.max(...row);
    const told = { at: word, length: found.tokens.length, confidence, tag: row.indexOf(confidence), unknown: found.known.filter((one) => !one).length };
    told.least = Math.min(...found.tokens.map((_, k) => Math.max(...this.row(k))));
    found.labels.forEach((label, k) => (told[`probability.${label}`] = row[k]));
    return told;
  }
}

/** What a tag means, in the reader's language. */
function nameOf(tag) {
  const key = `tag ${tag}`;
  const found = t(key);
  return found === key ? "" : found;
}
