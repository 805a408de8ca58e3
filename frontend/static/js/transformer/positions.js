/** How a network is told the order of its tokens: a table that is added, or angles that turn. */

import { make, t } from "../words.js";
import { PositionTable } from "./position-table.js";
import { RotaryView } from "./rotary-view.js";

const VIEWS = { learned: PositionTable, sinusoidal: PositionTable, rotary: RotaryView };

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  const { positions } = store.about.config;
  element.append(make("p", { class: "note positions-sentence" }, t(`sentence positions ${positions}`)));
  const off = make("p", { class: "note positions-off", role: "status" }, t("Positions are left out at the moment: you switched them off."));
  element.append(off);
  const show = () => (off.hidden = store.state.edits.positions || positions === "none");
  store.addEventListener("edit", show);
  show();
  const View = VIEWS[positions];
  if (!View) return null;
  const host = make("div", { class: "positions-body" });
  element.append(host);
  return new View(store, host);
}
