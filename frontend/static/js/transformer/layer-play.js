/**
 * The layers in turn, from the first to the last. The whole page follows: heads, map, look and
 * stream are those of the layer that has its turn, and later rows of the lens are pale meanwhile.
 */

import { make, t } from "../words.js";

const PACE = 900; // ms a layer
const WHOLE = 15000; // ms that many layers take in all

export class LayerPlay {
  /** @param {import("./store.js").Store} store @param {HTMLElement} host  the figure that is `playing` */
  constructor(store, host) {
    Object.assign(this, { store, host, timer: 0 });
    this.node = make("button", { type: "button", class: "button small layer-play" });
    this.node.addEventListener("click", () => (this.playing ? this.stop() : this.start()));
    store.addEventListener("read", () => this.stop());
    store.addEventListener("select", () => this.playing && store.state.layer !== this.layer && this.stop());
    this.tell();
  }

  get playing() {
    return this.timer !== 0;
  }

  start() {
    this.layer = 0;
    this.go();
  }

  go() {
    const { store } = this;
    const layers = store.layers();
    this.timer = setTimeout(() => {
      // What the figure has to show is waited for.
      if (!this.host.querySelector(".stream:not([hidden]) .pending")) this.layer++;
      if (this.layer < layers) this.go();
      else this.stop();
    }, Math.min(PACE, WHOLE / layers));
    store.set({ layer: this.layer });
    this.tell();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.tell();
  }

  tell() {
    const words = this.playing ? t("stop writing") : t("layer by layer");
    if (this.node.textContent !== words) this.node.textContent = words;
    this.host.classList.toggle("playing", this.playing);
  }
}
