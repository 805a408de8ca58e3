/** The hypotheses of a search in words, best first: what the tree says, for reader and keyboard. */

import { full, make, short, t } from "../words.js";

export class HypothesisList {
  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {(tokenIds: number[]) => void} options.onTake read this one
   * @param {(tokenIds: number[]|null) => void} options.onLook it is pointed at; null: no more
   */
  constructor(host, { onTake, onLook }) {
    Object.assign(this, { onTake, onLook });
    this.list = make("ol", { class: "bt-list" });
    host.append(make("h3", {}, t("Hypotheses, best first")), this.list);
    this.key = "";
  }

  /**
   * @param {import("./run.js").Hypothesis[]} hypotheses
   * @param {number[]} reading tokens of the run that the page shows
   */
  draw(hypotheses, reading) {
    const ids = reading.join();
    const key = JSON.stringify([hypotheses.map(({ token_ids, score }) => [token_ids, score]), ids]);
    if (key === this.key) return;
    this.key = key;
    this.list.replaceChildren(...hypotheses.map((one) => make("li", {}, this.entry(one, one.token_ids.join() === ids))));
  }

  entry(one, reading) {
    const score = t("score");
    const numbers = `log p ${short(one.log_probability)} · ${score} ${short(one.score)}`;
    const button = make("button", {
      type: "button",
      class: "bt-take",
      "aria-current": reading ? "true" : null,
      title: `log p ${full(one.log_probability)}, ${score} ${full(one.score)}`,
    });
    const small = make("small", { class: "num" }, reading ? `${numbers} · ${t("in the figures now")}` : numbers);
    button.append(make("span", {}, one.text || "∅"), small);
    button.addEventListener("click", () => this.onTake(one.token_ids));
    for (const type of ["pointerenter", "focus"]) button.addEventListener(type, () => this.onLook(one.token_ids));
    for (const type of ["pointerleave", "blur"]) button.addEventListener(type, () => this.onLook(null));
    return button;
  }
}
