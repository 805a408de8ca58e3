/** The line under the picture: the word in hand, what its light means, the cell under the pointer. */

import { full, percent, short, t } from "../words.js";
import { View } from "./view.js";

const get = (id) => document.getElementById(id);

export class StageHead {
  /**
   * @param {{run, link, view: View, words: import("./word-line.js").WordLine,
   *   onShow: (how: {raw?: boolean, common?: boolean}) => void}} options
   */
  constructor({ run, link, view, words, onShow }) {
    Object.assign(this, { run, link, view, words });
    get("light").addEventListener("change", () => onShow({ raw: get("light").value === "raw" }));
    get("scale").addEventListener("change", () => onShow({ common: get("scale").value === "common" }));
  }

  draw() {
    const { run, view, words } = this;
    const { step } = view;
    const token = run.target[step];
    const light = view.lightOf(step);
    get("stage-word").textContent = token ? token.token.trim() || token.label : run.target.length ? t("all words together") : "";
    get("stage-legend").hidden = !light;
    if (light) get("stage-high").textContent = this.number(light.limit);
    get("gate-most").textContent = short(words.widest);
    get("light").value = view.raw ? "raw" : "smooth";
    get("scale").value = view.common ? "common" : "own";
    get("scale").hidden = run.hard && !view.raw; // one cell is lit, whatever its weight
    this.cell();
  }

  /** A weight of one word is a share; of all words together it is a sum. */
  number(weight) {
    return this.view.step === View.ALL ? short(weight) : percent(weight);
  }

  /** The cell under the pointer and its weight. */
  cell() {
    const { link, run, view } = this;
    const { source } = link.hover;
    const weight = view.weightsOf(view.step)?.[source];
    get("stage-cell").textContent = weight === undefined ? "" : `${run.source[source].label} ${this.number(weight)}`;
    get("stage-cell").title = weight === undefined ? "" : full(weight);
  }
}
