/** One character of the text: what each network had held likely there, side by side. */

import { make, mark, percent, t } from "../words.js";
import { badge } from "./networks.js";

const BEFORE = 16; // characters that are repeated

export class CharacterPanel {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
  }

  /** @param {{network, place, reading}[]} runs who could read it @param {string[]} tokens */
  draw(runs, tokens, at) {
    if (!runs.length || at < 1) return this.host.replaceChildren();
    const most = Math.max(8, ...runs.map(({ reading }) => reading.bits[at]));
    const before = tokens.slice(Math.max(0, at - BEFORE), at).map(mark).join("");
    const line = ({ network, place, reading }) => {
      const bar = make("i", { class: `sbs-bar of-net-${place % 8}` });
      bar.style.width = `${(100 * reading.bits[at]) / most}%`;
      const chips = reading.top[at].map(({ token, probability }) =>
        make("span", { class: token === tokens[at] ? "chip-in" : "" }, make("b", {}, mark(token)), " ", make("span", { class: "quiet" }, percent(probability))),
      );
      return make(
        "div", { class: "sbs-one" },
        make("div", { class: "sbs-name" }, badge(place), " ", network.name),
        make("div", { class: "sbs-track" }, bar),
        make("div", { class: "num sbs-bits" }, t("{bits} bits", { bits: reading.bits[at].toFixed(2) })),
        make("div", { class: "num sbs-share" }, percent(reading.probability[at])),
        make("div", { class: "sbs-top num" }, ...chips),
      );
    };
    this.host.replaceChildren(
      make("p", { class: "sbs-at" }, make("b", { class: "num" }, mark(tokens[at])), " ", make("span", { class: "quiet" }, t("after “{before}”", { before }))),
      ...runs.map(line),
      make("p", { class: "note" }, t("Bits of surprise, the probability it had, and the five that were likeliest there; the one that came is framed.")),
    );
  }
}
