/** What a reader may change: heads, what may be looked at, positions and order. */

import { make, t } from "../words.js";
import { HeadsBoard } from "./heads-board.js";
import { MaskEditor } from "./mask-editor.js";
import { OrderPanel } from "./order-panel.js";
import { changes } from "./otherwise.js";
import { provide } from "./saver.js";
import { boardFigure, boardRows } from "./board-figures.js";
import { PLAIN } from "./store.js";

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  const part = (title) => {
    const host = make("div", { class: "edit-body" });
    element.append(make("section", { class: "edit-part" }, make("h3", {}, title), host));
    return host;
  };
  const boardHost = part(t("heads"));
  const maskHost = part(store.translates ? t("looks from the translation to the source") : t("looks"));
  const orderHost = part(t("order"));
  const reset = make("button", { type: "button", class: "button reset" }, t("Take all changes back"));
  reset.addEventListener("click", () => store.set({ edits: PLAIN }));
  orderHost.parentElement.append(reset);
  const show = () => (reset.disabled = !changes(store.state.edits));
  for (const type of ["edit", "read"]) store.addEventListener(type, show);
  show();
  const board = new HeadsBoard(boardHost, store);
  provide("edits", { figure: () => boardFigure(board), rows: () => boardRows(board) });
  return { board, mask: new MaskEditor(store, maskHost), order: new OrderPanel(store, orderHost) };
}
