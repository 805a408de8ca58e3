/** The film of a run: small pictures of kept moments over a slider that goes to any of them. */

import { color } from "../../color.js";
import { sharpen } from "../../raster.js";
import { make, short, t } from "../../words.js";
import { typeScale } from "./plot.js";

const WIDTH = 92; // css px of a picture, at least
const HEIGHT = 40;
const GAP = 6;
const PACE = 45; // ms a frame, when it plays

export class FilmStrip {
  /**
   * @param {HTMLElement} host
   * @param {{thumbnail: Function}} panel  draws a moment in small
   * @param {(frame: number) => void} onGo
   */
  constructor(host, panel, onGo) {
    Object.assign(this, { panel, onGo });
    this.canvas = make("canvas", { class: "training-film", "aria-hidden": "true" });
    this.play = make("button", { class: "button", type: "button" });
    this.play.addEventListener("click", () => (this.playing ? this.pause() : this.start()));
    this.slider = make("input", { type: "range", min: "0", max: "0", value: "0", step: "1", "aria-label": t("moment of the run") });
    this.slider.addEventListener("input", () => {
      this.pause();
      onGo(Number(this.slider.value));
    });
    this.told = make("output", { class: "num" });
    this.canvas.addEventListener("pointerdown", (event) => this.pick(event));
    host.append(this.canvas, make("div", { class: "training-slider" }, this.play, this.slider, this.told));
    this.playing = false;
    this.key = "";
  }

  /** Play on from the moment shown; from the beginning, where it is the last. */
  start() {
    if (this.at >= this.count - 1 && !this.run.running) this.onGo(0);
    this.playing = true;
    this.before = performance.now();
    this.label();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
    this.label();
  }

  tick(now) {
    if (!this.playing) return;
    if (now - this.before >= PACE && this.at < this.count - 1) {
      this.before = now;
      this.onGo(this.at + 1);
    }
    if (this.at >= this.count - 1 && !this.run.running) return this.pause();
    requestAnimationFrame((later) => this.tick(later));
  }

  label() {
    const name = this.playing ? t("pause") : t("play");
    if (this.play.title !== name) Object.assign(this.play, { title: name, textContent: this.playing ? "❚❚" : "▶" });
    this.play.setAttribute("aria-label", name);
  }

  get count() {
    return this.run?.frames.length ?? 0;
  }

  /** @param {import("./run.js").Run} run @param {number} at */
  draw(run, at) {
    Object.assign(this, { run, at });
    const { slider, count } = this;
    this.label();
    const frame = run.frames[at];
    slider.disabled = this.play.disabled = count < 2;
    if (!frame) return;
    slider.max = String(count - 1);
    slider.value = String(at);
    this.told.textContent = `${t("epoch")} ${frame.epoch}`;
    slider.setAttribute("aria-valuetext", `${this.told.textContent}, ${t("loss")} ${short(frame.figures.loss)}`);
    this.pictures();
  }

  pictures() {
    const { canvas, run, at, count } = this;
    const scale = typeScale();
    const width = canvas.clientWidth;
    if (!width) return;
    const places = Math.max(1, Math.min(count, Math.floor((width + GAP) / (WIDTH * scale + GAP))));
    const each = (width + GAP) / places - GAP;
    const frames = Array.from({ length: places }, (_, k) => Math.round((k * (count - 1)) / Math.max(1, places - 1)));
    this.places = frames;
    const shown = frames.reduce((best, frame, k) => (Math.abs(frame - at) < Math.abs(frames[best] - at) ? k : best), 0);
    const key = [width, frames.join(), shown, run.number, color("--paper"), scale].join();
    if (key === this.key) return;
    this.key = key;
    const height = HEIGHT * scale;
    const { context, ratio } = sharpen(canvas, width, height + 18 * scale);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    canvas.style.height = `${height + 18 * scale}px`;
    context.font = `${11 * scale}px ${color("--mono")}`;
    context.textBaseline = "bottom";
    frames.forEach((frame, k) => {
      const left = k * (each + GAP);
      const wide = Math.min(each, 2 * WIDTH * scale);
      this.panel.thumbnail(context, run, run.frames[frame], left + 2, 2, wide - 4, height - 4);
      context.strokeStyle = k === shown ? color("--ink") : color("--rule");
      context.lineWidth = k === shown ? 2 : 1;
      context.strokeRect(left + 1, 1, wide - 2, height - 2);
      context.fillStyle = k === shown ? color("--ink") : color("--ink-3");
      context.fillText(String(run.frames[frame].epoch), left + 1, height + 17 * scale);
    });
    this.each = each + GAP;
  }

  pick(event) {
    const frame = this.places?.[Math.floor(event.offsetX / this.each)];
    if (frame === undefined) return;
    this.pause();
    this.onGo(frame);
  }
}
