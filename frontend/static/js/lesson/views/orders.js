/**
 * A table of counts over a text: how many characters before each one stand together in it, and how
 * much each length of context says about what comes there.
 *
 * Options: checkpoint; text; at: the character looked at.
 * Values for exercises: `at`, `matched` (characters of the longest context that was known),
 * `probability` of the character, `weight.<order>`.
 */

import { trace } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { color, hue, onRestyle, sequential } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { inQuotes, make, mark, percent, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { ColouredText } from "../coloured-text.js";
import { whenTyped } from "../typing.js";

const REST = 400; // ms after typing before the text is read
const isMixture = ({ axes, range }) => axes.join() === "time,order" && range === "probability";

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Orders(stage, { text: `${about.prompt ?? ""}not to be, that is the question`, at: -1, ...options }, figure, about);
  await view.read();
  return view;
}

class Orders {
  constructor(stage, { text, at }, figure, about) {
    Object.assign(this, { text, at, figure, about, point: about.points.find(isMixture).name });
    this.coloured = new ColouredText({
      label: t("text coloured by the length of the known context: Left and Right choose a character"),
      onGo: (to) => this.go(to),
      onHover: (to) => this.tell(to < 0 ? this.at : to),
    });
    this.area = make("textarea", { class: "unit-area num", rows: "4", spellcheck: "false", "aria-label": t("the text that is read") }, text);
    whenTyped(this.area, REST, () => this.retype(this.area.value));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.bar = make("span", { class: "unit-bar" });
    this.told = make("div", { class: "orders-told", role: "status" });
    stage.replaceChildren(make("div", { class: "unit-head" }, this.bar, labLink(about)), this.problem, this.coloured.node, this.area, this.told);
    onRestyle(() => this.draw());
  }

  retype(text) {
    if (!text) return;
    Object.assign(this, { text, at: -1 });
    this.figure.keep({ text, at: -1 });
    this.read();
  }

  go(at) {
    this.at = at;
    this.figure.keep({ at });
    this.coloured.show(at);
    this.tell(at);
    this.figure.changed();
  }

  async read() {
    const { text } = this;
    try {
      const answer = await trace(this.about.id, { text, points: [this.point] });
      if (text !== this.text) return; // the reader has gone on
      const { data } = answer.points[this.point];
      const likely = decode(answer.next.probabilities);
      const width = likely.length / answer.tokens.length;
      Object.assign(this, { weights: decode(data), orders: shapeOf(data)[1], probability: decode(answer.probability), characters: Array.from(text) });
      this.top = answer.next.tokens.map((tokens, step) => tokens.map((token, k) => ({ token, share: likely[step * width + k] })));
      this.problem.textContent = "";
      this.coloured.set(this.characters);
      if (this.at < 1 || this.at >= this.characters.length) this.at = this.characters.length - 1;
      this.draw();
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  /** Weights of the mixture that a character was expected with: those behind the one before it. */
  mixture(at) {
    return this.weights.subarray((at - 1) * this.orders, at * this.orders);
  }

  /** Characters of the longest context that the table knows. */
  matched(at) {
    const order = this.mixture(at).findLastIndex((weight) => weight > 0);
    return Math.max(0, order - 1);
  }

  draw() {
    if (!this.weights) return;
    const most = this.orders - 2;
    const ramp = sequential(hue("h")).css;
    const shade = (length) => ramp[Math.round((230 * length) / Math.max(1, most))];
    this.coloured.paint((at) => (at ? shade(this.matched(at)) : null));
    this.coloured.show(this.at);
    const samples = Array.from({ length: most + 1 }, (_, length) => {
      const node = make("i", {}, String(length));
      Object.assign(node.style, { background: shade(length), color: length > most / 2 ? color("--paper") : color("--ink") });
      return node;
    });
    this.bar.replaceChildren(make("span", { class: "orders-scale num" }, ...samples), t("characters of context that stand in its table"));
    this.tell(this.at);
    this.figure.changed();
  }

  tell(at) {
    if (!this.weights || at < 1) return this.told.replaceChildren();
    const mixture = this.mixture(at);
    const rows = Array.from(mixture, (weight, order) => ({ weight, order })).reverse().map(({ weight, order }) => {
      const bar = make("i", {});
      bar.style.width = `${100 * weight}%`;
      const before = this.characters.slice(Math.max(0, at - order + 1), at).map(mark).join("");
      const name = order === 0 ? t("all characters alike") : order === 1 ? t("no context") : inQuotes(before);
      const there = at >= order - 1;
      return make("div", { class: weight > 0 ? "" : "unseen" }, make("span", { class: order > 1 ? "num" : "" }, there ? name : "–"), make("span", { class: "orders-track" }, bar), make("span", { class: "num" }, weight > 0 ? percent(weight) : there ? t("not in the table") : ""));
    });
    const chips = this.top[at - 1].map(({ token, share }) => make("span", { class: "num" }, make("b", {}, mark(token)), ` ${percent(share)}`));
    this.told.replaceChildren(
      make("p", {}, t("“{character}” had {share}. How much each context says about it:", { character: mark(this.characters[at]), share: percent(this.probability[at]) })),
      make("div", { class: "orders-bars" }, ...rows),
      make("p", { class: "orders-top" }, make("span", { class: "quiet" }, t("likeliest there")), ...chips),
    );
  }

  values() {
    if (!this.weights || this.at < 1) return {};
    const weights = Array.from(this.mixture(this.at), (weight, order) => [`weight.${order}`, weight]);
    return { at: this.at, matched: this.matched(this.at), probability: this.probability[this.at], ...Object.fromEntries(weights) };
  }
}
