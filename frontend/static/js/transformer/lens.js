/**
 * The residual stream. Where a stack predicts tokens: layers by tokens, each cell what would be
 * predicted if the stack ended there. Where it does not: how alike the tokens' streams are.
 */

import { make } from "../words.js";
import { LayerPlay } from "./layer-play.js";
import { LensTable } from "./lens-table.js";
import { provide } from "./saver.js";
import { StreamLikeness } from "./stream-likeness.js";

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  const points = new Set(store.about.points.map(({ name }) => name));
  const made = new Map();
  element.append(make("p", { class: "layer-plays" }, new LayerPlay(store, element).node));
  /** What a stack that sees both ways predicts, it has seen: how alike its tokens are tells more. */
  const viewsOf = (prefix) => {
    const predicts = points.has(`${prefix}blocks.0.lens`);
    if (predicts && store.causal(prefix ? "decoder" : "")) return [LensTable];
    return predicts ? [StreamLikeness, LensTable] : [StreamLikeness];
  };
  const show = () => {
    const prefix = prefixOf(store);
    if (!made.has(prefix)) {
      const host = make("div", { class: "stream" });
      element.append(host);
      made.set(prefix, { host, views: viewsOf(prefix).map((View) => new View(store, host.appendChild(make("div", { class: "stream-view" })), prefix)) });
    }
    for (const [name, { host }] of made) host.hidden = name !== prefix;
  };
  store.addEventListener("select", show);
  show();
  const saved = () => made.get(prefixOf(store)).views[0].saved;
  provide("lens", { figure: () => saved().figure(), rows: () => saved().rows(), ready: () => saved().ready?.(), file: () => saved().file?.() ?? "lens" });
  return made;
}

/** How the points of the chosen stack begin; looking across is the decoder's. */
function prefixOf({ state: { stack } }) {
  if (!stack) return "";
  return stack === "encoder" ? "encoder." : "decoder.";
}
