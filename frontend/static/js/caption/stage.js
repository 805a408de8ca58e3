/**
 * The picture, lit by the attention of the word in hand. Point at a part of it to see which words
 * looked there, drag over it to mark it; take the ring and put it elsewhere to make the word look
 * there.
 */

import { color } from "../color.js";
import { strongestOf } from "../decoder/arithmetic.js";
import { make } from "../words.js";
import { paintLight } from "./light.js";
import { stageHands } from "./stage-hands.js";
import { Frame, paintArea, paintDiamond, paintGrid, paintRing, paintWay } from "./stage-marks.js";
import { View } from "./view.js";

const LOW = 320; // css px that a picture may always be high
const FADE = 160; // ms from one word's light to the next
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {import("./caption.js").Caption} options.run @param {View} options.view
   * @param {import("./region.js").Region} options.region @param {import("../decoder/link.js").Link} options.link
   * @param {() => import("./picture.js").Picture|null} options.picture  that is to be shown
   * @param {(step: number, cell: number) => void} options.onForce @param {(step: number) => void} options.onRelease
   */
  constructor(host, { run, link, view, region, picture, label, onForce, onRelease }) {
    Object.assign(this, { host, run, link, view, region, picture, onForce, onRelease });
    this.canvas = make("canvas", { class: "stage-canvas", tabindex: "0", role: "application", "aria-label": label });
    host.append(this.canvas);
    this.pulled = null; // [x, y] that attention is being dragged to
    stageHands(this);
  }

  /** The cell under the pointer of the word that the ring stands for; -1: no ring. */
  get ring() {
    const token = this.run.target[this.view.step];
    if (!token?.attention) return -1;
    return token.forced ?? token.looked ?? strongestOf(token.attention);
  }

  /** The size of the picture in its place, css px. */
  fit(picture) {
    const { host } = this;
    const share = parseFloat(getComputedStyle(host).getPropertyValue("--stage-share")) || 0.56;
    const most = Math.max(LOW, share * innerHeight);
    const scale = Math.min(host.clientWidth / picture.width, most / picture.height);
    return [Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale))];
  }

  /** Draws what has changed; true while light is still moving. */
  draw(now = performance.now()) {
    const { canvas, host, run, view } = this;
    const picture = this.picture();
    host.hidden = !picture;
    if (!picture || !host.clientWidth) return false;
    const [width, height] = this.fit(picture);
    const lit = run.picture === picture; // else its words are still to come
    const light = this.moving(lit ? view.lightOf(view.step) : null, now, picture === this.shown);
    const scale = parseFloat(color("--scale")) || 1;
    const key = [width, height, scale, devicePixelRatio, view.raw, view.step, light?.stamp, ...this.marks(lit)].join();
    if (key === this.key && picture === this.shown) return light?.still === false;
    if (picture !== this.shown) canvas.setAttribute("aria-description", picture.title);
    Object.assign(this, { key, shown: picture });
    const ratio = Math.min(3, devicePixelRatio || 1);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    this.frame = new Frame(width, height, run.grid.rows || run.columns, run.grid.columns || run.columns);
    const context = canvas.getContext("2d");
    paintLight(context, picture, light, { raw: light?.raw });
    context.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
    this.paintMarks(context, lit, scale);
    return light?.still === false;
  }

  /** What the marks depend on. */
  marks(lit) {
    const { region, link, pulled } = this;
    return [lit, region.words, link.hover.source, link.pin.target, link.pin.source, this.ring, this.run.target[this.view.step]?.forced, pulled];
  }

  paintMarks(context, lit, scale) {
    const { frame, link, region, view, run, pulled } = this;
    const weights = lit ? view.weightsOf(view.step) : null;
    if (view.raw && weights) paintGrid(context, frame, weights, view.step !== View.ALL, scale);
    if (region.area) paintArea(context, frame, region.area, scale);
    const { source } = link.hover;
    if (source >= 0) paintArea(context, frame, { top: Math.floor(source / frame.columns), bottom: Math.floor(source / frame.columns), left: source % frame.columns, right: source % frame.columns }, scale, true);
    const ring = lit ? this.ring : -1;
    if (ring < 0) return;
    const token = run.target[view.step];
    if (pulled) paintWay(context, frame.middle(ring), pulled, scale);
    if (token.forced !== null) paintDiamond(context, frame.middle(ring), scale);
    else if (!view.raw || pulled) paintRing(context, pulled ?? frame.middle(ring), scale);
  }

  /** The light on its way to where it is wanted. @param {boolean} same  picture as before */
  moving(light, now, same) {
    if (light && this.goal?.weights === light.weights && this.goal.limit === light.limit && this.goal.raw === light.raw) {
      return this.between(now);
    }
    const soft = same && light && this.light && !light.raw && !this.light.raw && !calm.matches;
    Object.assign(this, { goal: light, from: soft ? this.light : null, since: now, stamp: (this.stamp ?? 0) + 1 });
    return this.between(now);
  }

  between(now) {
    const { goal, from, since, stamp } = this;
    const share = from ? Math.min(1, (now - since) / FADE) : 1;
    if (!goal) this.light = null;
    else if (share === 1) this.light = { ...goal, stamp, still: true };
    else {
      // Weights are blended as shares of their limits: each word is lit on its own scale.
      const weights = goal.weights.map((weight, k) => (share * weight) / goal.limit + ((1 - share) * from.weights[k]) / from.limit);
      this.light = { ...goal, weights, limit: 1, stamp: `${stamp}-${share}`, still: false };
    }
    return this.light;
  }
}
