/** Every number of the page as a table, for who listens or wants to look them up: made when opened. */

import { make, spoken, t } from "../words.js";

export class Numbers {
  /** @param {HTMLDetailsElement} details */
  constructor(details) {
    this.details = details;
    this.body = details.querySelector("div");
    details.addEventListener("toggle", () => this.fill());
  }

  /** @param {{network, reading}[]} runs @param {string[]} tokens */
  draw(runs, tokens) {
    Object.assign(this, { runs, tokens, stale: true });
    this.fill();
  }

  fill() {
    if (!this.details.open || !this.stale) return;
    this.stale = false;
    const head = make("tr", {}, ...[t("place"), t("character"), ...this.runs.map(({ network }) => network.name)].map((words) => make("th", { scope: "col" }, words)));
    const rows = this.tokens.map((token, k) => make("tr", {}, make("td", { class: "num" }, String(k)), make("th", { scope: "row" }, spoken(token)), ...this.runs.map(({ reading }) => make("td", { class: "num" }, k ? reading.bits[k].toFixed(2) : "–"))));
    this.body.replaceChildren(make("table", {}, make("caption", {}, t("Bits of surprise of each network at each character")), make("thead", {}, head), make("tbody", {}, ...rows)));
  }
}
