/** The networks in a table: how large they are, how well they did on their test text, and on this one. */

import { make, pageData, t } from "../words.js";
import { badge, labOf } from "./networks.js";
import { mean } from "./readings.js";

const number = (value) => new Intl.NumberFormat(pageData.language).format(value);

/** Bits a character on the text that it was tested on. */
export function tested(about) {
  const { test_bits: told, test_nats: nats } = about.figures ?? {};
  return told ?? (nats === undefined ? NaN : nats / Math.LN2);
}

export class Summary {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
  }

  /** @param {{network, place: number, reading?: object}[]} runs  a reading that is not there yet is awaited */
  draw(runs) {
    const means = runs.map(({ reading }) => (reading?.bits ? mean(reading.bits) : NaN));
    const known = means.filter(Number.isFinite);
    const [least, most] = [Math.min(...known), Math.max(...known, 1e-9)];
    const head = ["network", "parameters", "bits, test text", "bits, this text"].map((key) => make("th", { scope: "col" }, t(key)));
    const body = runs.map(({ network, place, reading }, k) => {
      const { about } = network;
      const test = tested(about);
      return make(
        "tr", { class: means[k] === least ? "best" : "" },
        make("th", { scope: "row" }, badge(place), " ", labOf(network)),
        make("td", { class: "num" }, about.parameters ? number(about.parameters) : ""),
        make("td", { class: "num" }, Number.isFinite(test) ? make("a", { class: "quieter", href: `/${pageData.language}/checkpoints/${network.id}` }, test.toFixed(2)) : "–"),
        make("td", {}, this.here(reading, means[k], most, place)),
      );
    });
    this.host.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body)), make("p", { class: "note" }, this.fair(runs)));
  }

  here(reading, value, most, place) {
    if (reading?.problem) return make("span", { class: "broken" }, reading.problem);
    if (!reading) return make("span", { class: "quiet" }, t("loading"));
    const bar = make("i", { class: `sbs-bar of-net-${place % 8}` });
    bar.style.width = `${(100 * value) / most}%`;
    return make("span", { class: "sbs-here" }, make("span", { class: "sbs-track" }, bar), make("b", { class: "num" }, value.toFixed(2)));
  }

  /** Whether the figures of the test text may be held against each other. */
  fair(runs) {
    const first = t("The first character is not counted: nothing stands before it.");
    const of = ({ network }) => `${network.corpus} ${network.about.figures?.test_characters}`;
    const same = new Set(runs.map(of)).size === 1 && runs[0]?.network.about.figures?.test_characters;
    if (runs.length < 2) return first;
    return `${first} ${same ? t("All learned from the same text, and were tested on the same {n} characters that none had seen.", { n: number(same) }) : t("They did not all learn from the same text: their figures on test texts cannot be held against each other.")}`;
  }
}
