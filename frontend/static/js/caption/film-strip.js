/** The film strip: the picture once for every word, lit by its own attention; before them all words together. */

import { make, percent, short, t } from "../words.js";
import { paintLight } from "./light.js";
import { View } from "./view.js";

const SIDE = 64; // px of a small mask

export class FilmStrip {
  /**
   * @param {HTMLElement} host
   * @param {{run, link, view: View, onGo: (step: number) => void}} options
   */
  constructor(host, { run, link, view, onGo }) {
    Object.assign(this, { host, run, link, view, onGo });
    this.list = make("ol", { class: "film", "aria-label": t("the picture once for every word") });
    host.append(this.list);
    this.tiles = [];
    host.addEventListener("pointerover", (event) => this.point(this.at(event)));
    host.addEventListener("pointerleave", () => link.point());
    host.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && this.point(this.at(event)));
    host.addEventListener("focusout", () => link.point());
    host.addEventListener("click", (event) => {
      const step = this.at(event);
      if (step !== null) this.onGo(step);
    });
    host.addEventListener("keydown", (event) => this.key(event));
  }

  /** The step of the tile that an event is on; null: of none. */
  at(event) {
    const tile = event.target.closest?.("button");
    return tile ? Number(tile.dataset.step) : null;
  }

  point(step) {
    if (step !== null) this.link.point(step, -1);
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const at = this.tiles.findIndex(({ button }) => button === event.target);
    if (!by || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.tiles[Math.max(0, Math.min(this.tiles.length - 1, at + by))].button.focus();
  }

  /** The steps that have a tile: all words together, once there are two, then each. */
  get steps() {
    const { target } = this.run;
    return [...(target.length > 1 && this.run.attends ? [View.ALL] : []), ...target.keys()];
  }

  draw() {
    const { run, list } = this;
    if (!run.attends) return;
    const { steps, tiles } = this;
    const held = list.contains(document.activeElement) ? Number(document.activeElement.dataset.step) : null;
    // Of a tile that still shows the same word nothing is made anew.
    const kept = new Map(tiles.map((tile) => [tile.step, tile]));
    this.tiles = steps.map((step) => {
      const token = run.target[step] ?? null;
      const old = kept.get(step);
      return old && old.token === token && old.label === token?.label ? old : this.tile(step, token);
    });
    if (this.tiles.some((tile, k) => tile !== tiles[k]) || tiles.length !== this.tiles.length) {
      list.replaceChildren(...this.tiles.map(({ item }) => item));
      this.tiles.find(({ step }) => step === held)?.button.focus({ preventScroll: true });
      this.follow();
    }
    const { pin } = this.link;
    const tab = Math.max(0, this.tiles.findIndex(({ step }) => step === pin.target));
    this.tiles.forEach((tile, k) => {
      this.paint(tile);
      tile.button.tabIndex = k === tab ? 0 : -1;
      tile.button.setAttribute("aria-pressed", String(tile.step === this.view.step));
    });
  }

  /** The newest into view while words come. */
  follow() {
    const { list, run } = this;
    if (run.busy) list.scrollLeft = list.scrollWidth;
  }

  tile(step, token) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const word = make("b", {}, token ? token.token.trim() || token.label : t("all words"));
    const number = make("span", { class: "num" });
    const button = make("button", { type: "button", class: `frame${token ? "" : " all"}`, "data-step": String(step) }, canvas, word, number);
    if (token?.forced !== null && token) button.classList.add("forced");
    if (token?.chosen) button.classList.add("given");
    if (/^<\/?s>$/.test(token?.token ?? "")) button.classList.add("sign");
    return { step, token, label: token?.label, button, canvas, number, item: make("li", {}, button) };
  }

  paint(tile) {
    const { run, view } = this;
    const { canvas, button, number, step, token } = tile;
    const light = view.lightOf(step);
    const width = canvas.clientWidth;
    if (!light || !width) return;
    const height = Math.round((width * run.picture.height) / run.picture.width);
    const key = [width, light.limit, light.raw, step === View.ALL ? run.target.length : 0, devicePixelRatio].join();
    if (tile.key === key) return;
    tile.key = key;
    const ratio = Math.min(2, devicePixelRatio || 1);
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    canvas.style.height = `${height}px`;
    paintLight(canvas.getContext("2d"), run.picture, light, { raw: light.raw, side: SIDE });
    const most = Math.max(...view.weightsOf(step));
    number.textContent = token ? percent(token.probability) : "Σ α";
    const facts = token
      ? t("{word}, probability {share}; it looks most at {cell}: {weight}", { word: token.label, share: percent(token.probability), cell: run.source[view.weightsOf(step).indexOf(most)].label, weight: percent(most) })
      : t("all words together: the most looked at cell has {sum}", { sum: short(most) });
    button.title = facts;
    button.setAttribute("aria-label", facts);
  }
}
