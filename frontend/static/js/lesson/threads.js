/**
 * An alignment as threads: what was read above, what was written below, a line between the two for
 * every weight. Where lines cross, the order of the words has changed.
 */

import { svg } from "../decoder/svg.js";
import { isSign } from "../decoder/tokens.js";
import { make, percent, t } from "../words.js";

const FAINTEST = 0.05; // weights that get a line
const SURE = 0.5; // weights that count as "this word is that one"
const HEIGHT = 92; // of the lines, css px
const GAP = [8, 44]; // between words, narrowest and widest
const ROOM = 760; // that words spread over, at most
const pen = document.createElement("canvas").getContext("2d"); // measures words

/**
 * Pairs of written words whose places stand the other way round in what was read. Only words that look
 * at one place with a weight of a half or more are counted; the sign of the end is no word.
 * @param {import("../translate/translation.js").Translation} run @returns {[number, number][]}
 */
export function crossings({ source, target }) {
  const places = target.map(({ attention, token }) => {
    const best = attention && !isSign(token) ? attention.indexOf(Math.max(...attention)) : -1;
    return best >= 0 && attention[best] >= SURE && !isSign(source[best].token) ? best : -1;
  });
  const found = [];
  for (let i = 0; i < places.length; i++) {
    for (let k = i + 1; k < places.length; k++) {
      if (places[i] >= 0 && places[k] >= 0 && places[i] > places[k]) found.push([i, k]);
    }
  }
  return found;
}

export class Threads {
  /** @param {HTMLElement} host @param {{run, link}} options */
  constructor(host, { run, link }) {
    Object.assign(this, { host, run, link });
    this.scroller = make("div", { class: "threads", tabindex: "0", role: "img" });
    this.told = make("p", { class: "threads-told", role: "status" });
    host.append(this.scroller, this.told);
  }

  /** Where the words of a side stand: their middles, and the width of all. */
  places(tokens, room, scale) {
    const widths = tokens.map(({ label }) => pen.measureText(label).width);
    const all = widths.reduce((sum, width) => sum + width, 0);
    const [least, most] = GAP;
    const gap = Math.max(least * scale, Math.min(most * scale, (room - all - 8) / Math.max(1, tokens.length - 1)));
    let x = 4;
    const at = widths.map((width) => {
      const middle = x + width / 2;
      x += width + gap;
      return middle;
    });
    return { at, width: x - gap + 4 };
  }

  draw() {
    const { run, link, scroller } = this;
    if (!run.target.length) return;
    const style = getComputedStyle(scroller);
    const scale = parseFloat(style.getPropertyValue("--scale")) || 1;
    pen.font = `640 ${0.9375 * parseFloat(style.fontSize)}px ${style.getPropertyValue(run.characters ? "--mono" : "--sans")}`;
    // Beside the map where there is room for all words there, else above it.
    const both = this.host.parentElement;
    const least = Math.max(...[run.source, run.target].map((side) => this.places(side, 0, scale).width));
    both.classList.toggle("stacked", least > both.clientWidth / 2 - 24);
    const room = Math.min(scroller.clientWidth, ROOM * scale);
    const above = this.places(run.source, room, scale);
    const below = this.places(run.target, room, scale);
    const width = Math.max(above.width, below.width);
    const shift = (side) => (width - side.width) / 2;
    const [top, bottom, height] = [22 * scale, (22 + HEIGHT) * scale, (HEIGHT + 46) * scale];
    const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    const { target: chosen } = link.shown;
    const lines = [];
    run.target.forEach(({ attention }, i) => {
      attention?.forEach((weight, j) => {
        if (weight < FAINTEST) return;
        const [x1, x2] = [above.at[j] + shift(above), below.at[i] + shift(below)];
        const bend = (bottom - top) / 2;
        const path = `M${x1},${top} C${x1},${top + bend} ${x2},${bottom - bend} ${x2},${bottom}`;
        lines.push(svg("path", { d: path, class: i === chosen ? "thread chosen" : "thread", "stroke-width": 0.75 + 4.5 * weight * scale, "stroke-opacity": i === chosen ? 1 : 0.2 + 0.5 * weight }));
      });
    });
    const text = (label, x, y, kind) => {
      const node = svg("text", { x, y, class: kind });
      node.textContent = label;
      return node;
    };
    const weights = chosen >= 0 ? run.target[chosen]?.attention : null;
    drawing.append(
      ...lines,
      ...run.source.map(({ label }, j) => text(label, above.at[j] + shift(above), 15 * scale, `thread-read${weights && weights[j] >= SURE ? " chosen" : ""}`)),
      ...run.target.map(({ label }, i) => text(label, below.at[i] + shift(below), bottom + 17 * scale, `thread-written${i === chosen ? " chosen" : ""}`)),
    );
    scroller.classList.toggle("characters", run.characters);
    scroller.replaceChildren(drawing);
    if (!run.whole) return;
    const pairs = crossings(run);
    const bare = (k) => run.target[k].label.replace(/^·(?=.)/, "");
    const named = pairs.slice(0, 6).map(([i, k]) => `${bare(i)} × ${bare(k)}`).join(", ");
    this.told.textContent = !pairs.length ? t("no crossings")
      : run.characters ? t("crossings: {n}", { n: pairs.length })
      : t("crossings: {n} ({list})", { n: pairs.length, list: pairs.length > 6 ? `${named}, …` : named });
    scroller.setAttribute("aria-label", `${t("Lines from every written word to the words it looks at.")} ${run.target.map(({ label, attention }) => {
      const best = attention ? attention.indexOf(Math.max(...attention)) : -1;
      return best < 0 ? label : `${label}: ${run.source[best].label} ${percent(attention[best])}`;
    }).join("; ")}. ${this.told.textContent}`);
  }
}
