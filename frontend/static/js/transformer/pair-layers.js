/** How alike the streams of two tokens are, layer by layer, from the embedding on. */

import { full, make, short, t } from "../words.js";
import { likeness } from "./measures.js";

export class PairLayers {
  /** @param {HTMLElement} host @param {{store, prefix: string, layers: number}} options */
  constructor(host, { store, prefix, layers }) {
    Object.assign(this, { store, prefix });
    this.title = make("h3", {});
    this.bars = Array.from({ length: layers + 1 }, (_, row) => {
      const bar = make("i", {});
      const number = make("span", { class: "num" });
      return { node: make("div", { class: "layer-bar" }, make("span", {}, row ? t("layer {n}", { n: row - 1 }) : t("embedding")), make("span", { class: "track" }, bar), number), bar, number };
    });
    host.append(this.title, ...this.bars.map(({ node }) => node));
  }

  /** @param {number} one @param {number} other  tokens @param {string[]} labels @param {number} layer */
  async show(one, other, labels, layer) {
    const { store, prefix } = this;
    this.title.textContent = t("“{one}” and “{other}” through the layers", { one: labels[one], other: labels[other] });
    const at = (time) => [{ point: `${prefix}embedding`, at: { time } }, { point: `${prefix}blocks.*.residual`, at: { time } }];
    const found = await store.slices([...at(one), ...at(other)], this);
    if (!found) return;
    const width = found[0].shape.at(-1);
    const rows = (k) => [found[k].data, ...Array.from({ length: found[k + 1].shape[0] }, (_, l) => found[k + 1].data.subarray(l * width, (l + 1) * width))];
    const [first, second] = [rows(0), rows(2)];
    this.bars.forEach(({ node, bar, number }, row) => {
      const [, cosine] = likeness(Float32Array.from([...first[row], ...second[row]]), width);
      bar.style.transform = `scaleX(${Math.min(1, Math.abs(cosine))})`;
      bar.classList.toggle("below", cosine < 0);
      number.textContent = short(cosine);
      number.title = full(cosine);
      node.classList.toggle("chosen", row - 1 === layer);
    });
  }
}
