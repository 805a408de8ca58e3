/** A second network on the same prefix, the same seed and the same time axis. */

import { checkpoint as fetchCheckpoint } from "./api.js";
import { HeatMap } from "./heat-map.js";
import { layersOf } from "./layers.js";
import { inWords } from "./problem.js";
import { Session } from "./session.js";
import { SurpriseBars } from "./surprise-bars.js";
import { TextRuler } from "./text-ruler.js";
import { readsWords } from "./tokens.js";
import { make, short, surprise, t } from "./words.js";

export class Compare {
  /**
   * @param {HTMLElement} host
   * @param {{axis, session, onChange: () => void, onGo, onSave, wake: () => void}} options
   */
  constructor(host, options) {
    Object.assign(this, { host, ...options });
    this.session2 = null;
    this.maps = [];
  }

  get id() {
    return this.session2?.checkpoint.id ?? "";
  }

  /** Chosen, and nothing asked of it yet. */
  get fresh() {
    return this.session2 !== null && !this.asked;
  }

  get length() {
    return this.session2?.store.length ?? 0;
  }

  /** Take another network, or none. */
  async choose(id) {
    this.session2?.stop();
    this.session2 = null;
    this.maps = [];
    this.host.replaceChildren();
    this.host.hidden = !id;
    if (!id) return this.onChange();
    this.host.append(make("p", { class: "note loading" }, t("loading")));
    let about;
    try {
      about = await fetchCheckpoint(id);
    } catch (error) {
      this.host.replaceChildren(make("p", { class: "note warn" }, inWords(error).join(" ")));
      return;
    }
    this.build(about);
    this.onChange();
  }

  build(about) {
    const { axis, session, onGo } = this;
    const second = (this.session2 = new Session(about));
    this.asked = false;
    second.addEventListener("columns", this.wake);
    second.addEventListener("work", this.wake);
    second.addEventListener("state", this.wake);
    second.addEventListener("problem", () => this.tell());
    const strip = make("div", { class: "strip" });
    const bars = make("div", { class: "strip" });
    this.line = make("p", { class: "note" });
    this.mapHost = make("div", { class: "maps" });
    this.host.replaceChildren(
      make("h3", { class: "figure-title" }, about.title ?? about.id),
      strip,
      make("h3", { class: "figure-title" }, t("surprise at each character")),
      bars,
      this.line,
      this.mapHost,
    );
    this.ruler = new TextRuler(strip, axis, { store: second.store, tint: () => null, onGo, onType: () => {}, label: about.title, words: readsWords(about) });
    this.bars = new SurpriseBars(bars, axis, { runs: [{ store: session.store }, { store: second.store }], onGo });
    this.layers = layersOf(second.store);
    this.tell();
  }

  /**
   * The same quantities as the first network's, where this one has them, and those that only this
   * one has.
   */
  arrange(letters, known, layerNumber, height) {
    if (!this.session2) return;
    const layers = layerNumber === "all" ? this.layers : [this.layers[Math.min(Number(layerNumber), this.layers.length - 1)]];
    this.maps = layers.flatMap((layer) =>
      [...letters.filter((letter) => layer.points[letter]), ...Object.keys(layer.points).filter((letter) => !known.includes(letter))]
        .map((letter) => new HeatMap(layer.points[letter], {
          store: this.session2.store,
          axis: this.axis,
          tag: this.session2.checkpoint.title ?? this.id,
          onPick: (_, at) => this.onGo(at),
          onFold: () => this.wake(),
          onSave: (map, kind) => this.onSave(map, kind, this.session2),
        })),
    );
    for (const map of this.maps) map.arrange(height, null);
    this.mapHost.replaceChildren(...this.maps.map((map) => map.element));
    this.onArranged();
  }

  /** Do what the first network does. */
  mirror(text, count, sampling) {
    if (!this.session2) return;
    this.asked = true;
    if (count) this.session2.write(count, sampling, 0, text);
    else this.session2.read(text);
  }

  draw() {
    if (!this.session2) return;
    this.ruler.draw();
    this.bars.draw();
    for (const map of this.maps) map.draw();
  }

  tell() {
    if (!this.session2) return;
    if (this.session2.error) {
      this.line.textContent = inWords(this.session2.error).join(" ");
      return;
    }
    const mean = (store) => {
      const all = store.columns.map((column) => surprise(column.probability)).filter((nats) => nats >= 0);
      return all.length ? short(all.reduce((a, b) => a + b) / all.length) : "–";
    };
    this.line.textContent = t("Up: {one}, on average {a} nats a character. Down: {two}, {b}. Where they differ, one of them knew more.", {
      one: this.session.checkpoint.title,
      a: mean(this.session.store),
      two: this.session2.checkpoint.title,
      b: mean(this.session2.store),
    });
  }
}
