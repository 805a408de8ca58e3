/** What one reading of a text cost more than another, character by character, and where most. */

import { inkOn, signedRamp } from "../color.js";
import { ColouredText } from "../lesson/coloured-text.js";
import { make, mark, t } from "../words.js";

const FULL = 6; // bits at the ends of the colours
const PLACES = 8; // that are listed

/** Words of a text that differ most, each with the character that differs most in it. */
export function places(tokens, difference, most = PLACES) {
  const words = [];
  for (let k = 1; k < tokens.length; k++) {
    const begins = k === 1 || /\s/.test(tokens[k - 1]) !== /\s/.test(tokens[k]);
    if (begins) words.push({ from: k, to: k + 1, sum: 0, at: k });
    const word = words.at(-1);
    word.to = k + 1;
    word.sum += difference[k];
    if (Math.abs(difference[k]) > Math.abs(difference[word.at])) word.at = k;
  }
  return words.sort((one, two) => Math.abs(two.sum) - Math.abs(one.sum)).slice(0, most);
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;

export class Difference {
  /**
   * @param {HTMLElement} host @param {HTMLElement} controls
   * @param {{onPair: (pair: {a: string, b: string, given: number}) => void, onGo: (at: number) => void}} options
   */
  constructor(host, controls, { onPair, onGo }) {
    Object.assign(this, { host, onGo });
    this.a = make("select", { class: "plain", "aria-label": t("the first of the two") });
    this.given = make("select", { class: "plain num", "aria-label": t("how much of the text the first is given") });
    this.b = make("select", { class: "plain", "aria-label": t("the second of the two") });
    const tell = () => onPair({ a: this.a.value, b: this.b.value, given: Number(this.given.value) });
    for (const field of [this.a, this.given, this.b]) field.addEventListener("change", tell);
    controls.replaceChildren(make("label", {}, this.a), make("label", {}, t("given"), " ", this.given), make("label", {}, t("against"), " ", this.b));
    this.text = new ColouredText({ label: t("text coloured by the difference: Left and Right choose a character"), onGo: (at) => onGo(Math.max(1, at)) });
    this.scale = make("p", { class: "cells-scale quiet" });
    this.sum = make("p", { class: "sbs-sum", role: "status" });
    this.list = make("ol", { class: "sbs-places" });
    host.replaceChildren(this.sum, make("div", { class: "sbs-two" }, make("div", {}, this.text.node, this.scale), make("div", {}, make("h3", {}, t("Where they differ most")), this.list)));
  }

  /** @param {{network}[]} runs @param {number[]} lengths that the first may be given */
  offer(runs, lengths, { a, b, given }) {
    for (const [field, value] of [[this.a, a], [this.b, b]]) {
      field.replaceChildren(...runs.map(({ network }) => make("option", { value: network.id }, network.name)));
      field.value = value;
    }
    const choices = [[0, t("the whole text")], ...lengths.map((length) => [length, t("the last {n} characters", { n: length })])];
    this.given.replaceChildren(...choices.map(([value, words]) => make("option", { value: String(value) }, words)));
    this.given.value = String(given);
  }

  /** Nothing to show yet, and why. */
  wait(words) {
    this.sum.textContent = words;
    this.host.classList.add("waits");
  }

  /**
   * @param {string[]} tokens @param {ArrayLike<number>} one @param {ArrayLike<number>} two bits
   * @param {{one: string, two: string}} names
   */
  draw(tokens, one, two, names, at) {
    this.host.classList.remove("waits");
    const difference = (this.values = Float64Array.from(one, (value, k) => (k ? value - two[k] : 0)));
    const total = difference.reduce((sum, value) => sum + value, 0);
    const ramp = signedRamp().css;
    const shade = (value) => ramp[Math.max(0, Math.min(255, Math.round(127.5 + (127.5 * value) / FULL)))];
    if (this.shown !== tokens.join("")) this.text.set(tokens);
    this.shown = tokens.join("");
    this.text.paint((k) => (k ? shade(difference[k]) : null));
    this.text.show(at);
    this.sum.textContent = t("Over the whole text {two} needs {bits} bits {fewer} than {one}: {each} a character.", {
      ...names, bits: Math.abs(total).toFixed(1), fewer: t(total < 0 ? "more" : "fewer"), each: Math.abs(total / (tokens.length - 1)).toFixed(2),
    });
    const bar = make("i", { class: "cells-ramp" });
    bar.style.background = `linear-gradient(90deg, ${[0, 64, 128, 192, 255].map((k) => ramp[k]).join(", ")})`;
    const who = (sign, name) => make("span", {}, `${sign} `, t("{name} surprised more", { name }));
    this.scale.replaceChildren(make("span", { class: "sbs-scale num" }, `−${FULL}`, bar, `+${FULL} ${t("bits")}`), who("+", names.one), who("−", names.two));
    this.list.replaceChildren(...(this.places = places(tokens, difference)).map((place) => this.item(tokens, place, shade)));
  }

  item(tokens, { from, to, sum, at }, shade) {
    const before = tokens.slice(Math.max(0, from - 14), from).map(mark).join("");
    const word = tokens.slice(from, Math.min(to, from + 18)).map(mark).join("");
    const value = make("b", { class: "num" }, signed(sum));
    const css = shade(sum);
    Object.assign(value.style, { background: css, color: inkOn(css) });
    const button = make("button", { class: "plain num", type: "button" }, value, " ", make("span", { class: "quiet" }, before), make("span", { class: "sbs-word" }, word));
    button.addEventListener("click", () => this.onGo(at));
    return make("li", {}, button);
  }

  show(at) {
    this.text.show(at);
  }
}
