/** Measured times of the three layers over the length of the sequence, on logarithmic axes. */

import { at as px, svg } from "../decoder/svg.js";
import { make, short, t } from "../words.js";
import { KINDS } from "./layer-costs.js";
import { logTicks } from "./training/plot.js";

const HEIGHT = 330; // css px; beside the cards it is as high as they are
const SIDES = { left: 52, right: 18, top: 62, bottom: 44 };

/** The mark of a layer: round, square or a triangle, so that colour is not needed. */
export function costMark(kind, x, y, r) {
  const about = { class: `tw-dot of-${kind}` };
  if (kind === "convolution") return svg("rect", { ...about, x: px(x - r), y: px(y - r), width: px(2 * r), height: px(2 * r) });
  if (kind === "attention") return svg("path", { ...about, d: `M${px(x)} ${px(y - r * 1.3)}l${px(r * 1.25)} ${px(r * 2.2)}h${px(-r * 2.5)}z` });
  return svg("circle", { ...about, cx: px(x), cy: px(y), r: px(r) });
}

export class CostChart {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.drawing = svg("svg", { class: "tw-chart", role: "img" });
    host.append(make("div", { class: "tw-plot" }, this.drawing));
  }

  /** @param {any} found as GET /api/timings @param {{length: number, width: number}} state */
  draw(found, state) {
    const scale = (this.scale = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--scale")) || 1);
    const width = this.host.clientWidth;
    const most = "present" in document.documentElement.dataset ? 0.55 * innerHeight : Infinity; // the turner is below
    const height = Math.min(most, Math.max(HEIGHT, this.room()));
    const { drawing } = this;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${px(width)} ${px(height)}`, width: px(width), height: px(height) })) drawing.setAttribute(name, value);
    const [left, right, top, bottom] = [SIDES.left * scale, width - SIDES.right * scale, SIDES.top * scale, height - SIDES.bottom * scale];
    const { lengths, layers } = found;
    const times = KINDS.flatMap((kind) => layers[kind].milliseconds).filter((time) => time !== null);
    const [low, high] = [Math.min(...times) * 0.75, Math.max(...times) * 1.3];
    const [first, last] = [Math.log2(lengths[0]), Math.log2(lengths.at(-1))];
    const x = (n) => left + ((Math.log2(n) - first) / (last - first)) * (right - left);
    const y = (ms) => bottom - (Math.log(ms / low) / Math.log(high / low)) * (bottom - top);
    drawing.replaceChildren();
    for (const ms of logTicks(low, high)) {
      const at = y(ms);
      drawing.append(svg("line", { class: "tw-grid", x1: px(left), x2: px(right), y1: px(at), y2: px(at) }));
      this.text(String(ms), left - 8 * scale, at + 4 * scale, "end", "num");
    }
    for (const n of lengths) {
      drawing.append(svg("line", { class: "tw-tick", x1: px(x(n)), x2: px(x(n)), y1: px(bottom), y2: px(bottom + 4 * scale) }));
      this.text(String(n), x(n), bottom + 17 * scale, "middle", "num");
    }
    drawing.append(svg("line", { class: "tw-axis", x1: px(left), x2: px(right), y1: px(bottom), y2: px(bottom) }));
    this.text(t("milliseconds"), 0, top - 48 * scale, "start");
    this.text(t("length of the sequence n"), right, height - 6 * scale, "end");
    drawing.append(svg("line", { class: "tw-here", x1: px(x(state.length)), x2: px(x(state.length)), y1: px(top), y2: px(bottom) }));
    this.words = [];
    this.meeting(t("n = d"), found.width, x, top, bottom, 0, "bare");
    this.meeting(t("n = 2d, all counted"), 2 * found.width, x, top, bottom, 1, "counted");
    if (found.crossing) this.meeting(t("measured, {n}", { n: Math.round(found.crossing) }), found.crossing, x, top, bottom, 2, "measured");
    for (const [words, at, top, anchor, kind] of this.words) this.text(words, at, top, anchor, kind);
    for (const kind of KINDS) {
      const points = lengths.map((n, k) => [n, layers[kind].milliseconds[k]]).filter(([, ms]) => ms !== null);
      drawing.append(svg("polyline", { class: `tw-curve of-${kind}`, points: points.map(([n, ms]) => `${px(x(n))},${px(y(ms))}`).join(" ") }));
      for (const [n, ms] of points) {
        const dot = costMark(kind, x(n), y(ms), (n === state.length ? 5.5 : 3.5) * scale);
        dot.append(svg("title", {}, `${t(`layer ${kind}`)}, n = ${n}: ${short(ms)} ${t("ms")}`));
        drawing.append(dot);
      }
    }
    const told = KINDS.map((kind) => `${t(`layer ${kind}`)} ${short(layers[kind].milliseconds[lengths.indexOf(state.length)]) || "—"}`);
    drawing.setAttribute("aria-label", `${t("measured times over the length, logarithmic axes")}. n = ${state.length}: ${told.join(", ")} ${t("ms")}`);
  }

  /** The height of the cards, where they stand beside the chart. */
  room() {
    const cards = this.host.previousElementSibling;
    const beside = cards && cards.getBoundingClientRect().right <= this.host.getBoundingClientRect().left;
    return beside ? cards.lastElementChild.getBoundingClientRect().bottom - cards.getBoundingClientRect().top : 0;
  }

  /** An upright where two curves meet; its words, on a line of their own, lie over all uprights. */
  meeting(words, n, x, top, bottom, row, kind) {
    const { scale } = this;
    const from = top - (38 - row * 15) * scale;
    this.drawing.append(svg("line", { class: `tw-meeting is-${kind}`, x1: px(x(n)), x2: px(x(n)), y1: px(from + 3 * scale), y2: px(bottom) }));
    const late = x(n) > this.host.clientWidth * 0.6;
    this.words.push([words, x(n) + (late ? -5 : 5) * scale, from + 9 * scale, late ? "end" : "start", `is-${kind}`]);
  }

  text(words, x, y, anchor, kind = "") {
    this.drawing.append(svg("text", { class: `tw-text ${kind}`, x: px(x), y: px(y), "text-anchor": anchor, "font-size": px(12 * this.scale) }, words));
  }
}
