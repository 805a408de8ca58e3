/** Which words looked at the marked part of the picture, most first; and the offer to look there. */

import { attentionRamp } from "../color.js";
import { full, make, percent, t } from "../words.js";
import { View } from "./view.js";

const ROWS = 6;

export class RegionPanel {
  /**
   * @param {HTMLElement} host
   * @param {{run, link, region, view: View, onGo: (step: number) => void, onForce: (step, cell) => void}} options
   */
  constructor(host, { run, link, region, view, onGo, onForce }) {
    Object.assign(this, { host, run, link, region, view, onGo, onForce });
    this.title = make("h3");
    this.say = make("p", { class: "note" });
    this.list = make("ol", { class: "region-words" });
    this.look = make("button", { class: "button", type: "button" });
    this.look.addEventListener("click", () => onForce(view.step, region.to));
    const clear = make("button", { class: "plain", type: "button" }, t("let go of it"));
    clear.addEventListener("click", () => region.clear());
    this.clear = clear;
    host.append(this.title, this.say, this.list, make("div", { class: "region-tools" }, this.look, clear));
  }

  draw() {
    const { run, region, view, host } = this;
    const there = Boolean(region.area && run.target.length && run.attends);
    host.classList.toggle("empty", !there);
    this.list.hidden = this.clear.hidden = !there;
    const step = view.step;
    const one = there && region.area.cells.length === 1 && step !== View.ALL;
    this.look.hidden = !one || run.target[step].forced === region.to;
    if (!there) {
      this.title.textContent = t("words of a part of the picture");
      this.say.textContent = t("Drag over the picture, or click a cell: the words that looked there are told here.");
      this.key = "";
      return;
    }
    const key = [region.words, run.target.length, step, run.whole].join();
    if (key === this.key && this.of === run.target) return;
    Object.assign(this, { key, of: run.target });
    this.title.textContent = t("who looked at {area}", { area: region.name });
    const share = region.area.cells.length / run.source.length;
    this.say.textContent = t("the part is {share} of the picture; a word that looks everywhere alike has as much there", { share: percent(share) });
    if (one) this.look.textContent = t("make “{word}” look at {cell}", { word: run.target[step].label, cell: run.source[region.to].label });
    const ranked = run.target.map((token, k) => ({ k, token, mass: region.massOf(token) })).sort((a, b) => b.mass - a.mass);
    this.list.replaceChildren(...ranked.slice(0, ROWS).map((one) => make("li", {}, this.row(one))));
  }

  row({ k, token, mass }) {
    const bar = make("i", { class: "chance" });
    bar.style.transform = `scaleX(${Math.min(1, mass)})`;
    bar.style.background = attentionRamp().css[Math.round(90 + 130 * Math.min(1, mass))];
    const button = make(
      "button",
      { type: "button", class: "candidate word", title: full(mass) },
      make("b", {}, token.label),
      make("span", { class: "track" }, bar),
      make("span", { class: "num" }, percent(mass)),
    );
    button.setAttribute("aria-label", t("{word}: {share} of its attention lies here", { word: token.label, share: percent(mass) }));
    button.addEventListener("click", () => this.onGo(k));
    for (const type of ["pointerenter", "focus"]) button.addEventListener(type, () => this.link.point(k, -1));
    for (const type of ["pointerleave", "blur"]) button.addEventListener(type, () => this.link.point());
    return button;
  }
}
