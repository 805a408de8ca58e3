/**
 * The caption, word by word: under each word its probability, and the gate below it. Where a part
 * of the picture is marked, words are tinted by how much they looked there.
 */

import { attentionRamp, color, inkOn } from "../color.js";
import { TokenStrip } from "../decoder/token-strip.js";
import { make, percent, t } from "../words.js";
import { massIn } from "./cells.js";

export class WordLine extends TokenStrip {
  /** @param {import("./region.js").Region} options.region; the others as a `TokenStrip` takes them */
  constructor(host, { region, ...options }) {
    super(host, "target", options);
    this.region = region;
    host.classList.add("word-line");
  }

  button(token, k) {
    const button = super.button(token, k);
    const gate = token.points.gate?.[0];
    if (gate === undefined) return button;
    button.append(make("i", { class: "gate", "aria-hidden": "true" }));
    button.title = `${button.title} · β ${percent(gate)}`;
    button.setAttribute("aria-label", `${button.getAttribute("aria-label")}, ${t("the gate lets {share} of the picture in", { share: percent(gate) })}`);
    return button;
  }

  /** The most that any word has in so many cells, wherever they lie: the end of the tints. */
  fullest(cells) {
    const { target } = this.run;
    if (this.of !== target || this.known !== target.length || this.cells !== cells) {
      const sums = target.map(({ attention }) => massIn([...(attention ?? [])].sort((a, b) => b - a), [...Array(cells).keys()]));
      Object.assign(this, { of: target, known: target.length, cells, end: Math.max(1e-6, ...sums) });
    }
    return this.end;
  }

  /** The largest gate of the words: gates are small, their bars are drawn on this scale. */
  get widest() {
    return this.run.target.reduce((most, { points }) => Math.max(most, points.gate?.[0] ?? 0), 0);
  }

  /** The share of the words' attention in the marked part, or in the cell that is pointed at. */
  massOf(token) {
    const { source } = this.link.hover;
    if (source >= 0 && this.link.hover.target < 0) return token.attention?.[source] ?? null;
    return this.region.area && token.attention ? this.region.massOf(token) : null;
  }

  paint() {
    const { link, run } = this;
    const { css } = attentionRamp();
    const masses = run.target.map((token) => this.massOf(token));
    const most = this.fullest(link.hover.source >= 0 && link.hover.target < 0 ? 1 : (this.region.area?.cells.length ?? 1));
    const { widest } = this;
    this.buttons.forEach((button, k) => {
      const bar = button.querySelector(".gate");
      if (bar) bar.style.transform = `scaleX(${run.target[k].points.gate[0] / widest})`;
      const mass = masses[k] ?? null;
      const fill = mass === null ? null : css[Math.round(235 * Math.min(1, mass / most))];
      button.style.background = fill ?? "";
      button.style.color = fill ? (mass / most > 0.25 ? inkOn(fill) : color("--ink")) : "";
      button.classList.toggle("over", link.hover.target === k);
      button.setAttribute("aria-pressed", String(link.pin.target === k));
    });
  }
}
