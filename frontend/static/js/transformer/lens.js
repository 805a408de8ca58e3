/**
 * The residual stream. Where a stack predicts tokens: layers by tokens, each cell what would be
 * predicted if the stack ended there. Where it does not: how alike the tokens' streams are.
 */

import { LensTable } from "./lens-table.js";
import { StreamLikeness } from "./stream-likeness.js";
import { make } from "../words.js";

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  const points = new Set(store.about.points.map(({ name }) => name));
  const made = new Map();
  const show = () => {
    const prefix = prefixOf(store);
    if (!made.has(prefix)) {
      const host = make("div", { class: "stream" });
      element.append(host);
      const View = points.has(`${prefix}blocks.0.lens`) ? LensTable : StreamLikeness;
      made.set(prefix, { host, view: new View(store, host, prefix) });
    }
    for (const [name, { host }] of made) host.hidden = name !== prefix;
  };
  store.addEventListener("select", show);
  show();
  return made;
}

/** How the points of the chosen stack begin; looking across is the decoder's. */
function prefixOf({ state: { stack } }) {
  if (!stack) return "";
  return stack === "encoder" ? "encoder." : "decoder.";
}
