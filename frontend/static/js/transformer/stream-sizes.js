/**
 * How large the residual stream of one token is after every layer, and how much attention and the
 * feed-forward part of that layer added: bars beside the rows of the lens.
 */

import { make, short, t } from "../words.js";
import { sizes } from "./measures.js";

const KEPT = 400; // tokens whose sizes are remembered

/** What a block adds to the stream, by the end of its point. */
export const ADDED = [
  { end: "attended", name: "attention adds", class: "by-attention" },
  { end: "cross.attended", name: "looking across adds", class: "by-cross" },
  { end: "mlp", name: "the MLP adds", class: "by-mlp" },
];

export class StreamSizes {
  /** @param {HTMLElement} host @param {{store, prefix: string, layers: number, onLoad: () => void}} options */
  constructor(host, { store, prefix, layers, onLoad }) {
    Object.assign(this, { host, store, prefix, layers, onLoad });
    const names = new Set(store.about.points.map(({ name }) => name));
    this.parts = ADDED.filter(({ end }) => names.has(`${prefix}blocks.0.${end}`));
    this.rows = Array.from({ length: layers + 1 }, (_, row) => {
      const total = make("i", { class: "by-stream" });
      const bars = row ? this.parts.map((part) => make("i", { class: part.class })) : [];
      const number = make("span", { class: "num" });
      return { node: make("div", { class: "stream-size" }, make("span", { class: "stream-name" }, row ? t("layer {n}", { n: row - 1 }) : t("embedding")), make("span", { class: "bars" }, total, ...bars), number), total, bars, number };
    });
    this.key = make("p", { class: "stream-key" },
      make("span", {}, make("i", { class: "by-stream" }), t("size |x|")),
      ...this.parts.map((part) => make("span", {}, make("i", { class: part.class }), t(part.name))));
    host.append(make("p", { class: "stream-title" }), ...this.rows.map(({ node }) => node).reverse(), this.key);
    host.setAttribute("role", "img");
    this.clear();
  }

  clear() {
    this.known = new Map();
    this.asking = -1;
  }

  /** Ask for the sizes at a token, and show them; the newest asked for wins. */
  show(time, layer) {
    this.layer = layer;
    const found = this.known.get(time);
    this.host.classList.toggle("pending", !found);
    if (!found) return this.ask(time);
    this.paint(found, layer);
  }

  async ask(time) {
    if (this.asking === time) return;
    this.asking = time;
    const { store, prefix, parts } = this;
    const at = { time };
    const slices = [{ point: `${prefix}embedding`, at }, { point: `${prefix}blocks.*.residual`, at }, ...parts.map(({ end }) => ({ point: `${prefix}blocks.*.${end}`, at }))];
    const found = await store.slices(slices, this);
    if (this.asking === time) this.asking = -1;
    if (!found) return;
    const [embedding, residual, ...added] = found;
    const width = embedding.shape.at(-1);
    if (this.known.size > KEPT) this.known.clear();
    this.known.set(time, {
      stream: [sizes(embedding.data, width)[0], ...sizes(residual.data, width)],
      added: added.map(({ data }) => sizes(data, width)),
    });
    this.onLoad();
  }

  paint({ stream, added }, layer) {
    const most = Math.max(...stream, ...added.flatMap((list) => [...list])) || 1;
    this.rows.forEach(({ node, total, bars, number }, row) => {
      total.style.transform = `scaleX(${stream[row] / most})`;
      bars.forEach((bar, k) => (bar.style.transform = `scaleX(${added[k][row - 1] / most})`));
      number.textContent = short(stream[row]);
      node.classList.toggle("chosen", row - 1 === layer);
    });
  }

  /** The sizes of one cell in words; empty where they are not known yet. */
  words(time, layer) {
    const found = this.known.get(time);
    if (!found) return "";
    const size = t("The stream is {size} long", { size: short(found.stream[layer + 1]) });
    const added = layer < 0 ? [] : this.parts.map(({ name }, k) => `${t(name)} ${short(found.added[k][layer])}`);
    const words = `${[size, ...added].join(", ")}.`;
    if (this.host.getAttribute("aria-label") !== words) this.host.setAttribute("aria-label", words);
    return words;
  }
}
