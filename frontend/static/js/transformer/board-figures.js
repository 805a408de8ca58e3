/** What each head changes, to keep: a Plotly figure from the real values, and rows for CSV. */

import { color, sequential } from "../color.js";
import { paper, scaleOf } from "../exports.js";
import { t } from "../words.js";
import { titleOf } from "./saver.js";

/** @param {import("./heads-board.js").HeadsBoard} board */
export function boardFigure({ store, sweep }) {
  const rows = Array.from({ length: store.layers() }, (_, layer) => layer);
  const heads = Array.from({ length: store.heads }, (_, head) => head);
  const z = rows.map((layer) => heads.map((head) => sweep.found.get(store.headName(layer, head)) ?? null));
  const unit = sweep.outcome.predicts ? t("nats") : t("share");
  return {
    data: [{ type: "heatmap", z, zmin: 0, colorscale: scaleOf(sequential(color("--signed-high"))), colorbar: { thickness: 12, outlinewidth: 0, title: { text: unit } }, texttemplate: "%{z:.3f}", xgap: 1, ygap: 1 }],
    layout: {
      ...paper(titleOf(store, t("what changes where one head is off")), Math.max(640, 220 + 56 * heads.length), 180 + 34 * rows.length),
      xaxis: { tickvals: heads, title: { text: t("head") }, showgrid: false, zeroline: false },
      yaxis: { tickvals: rows, title: { text: t("layer") }, autorange: "reversed", showgrid: false, zeroline: false },
    },
  };
}

/** @param {import("./heads-board.js").HeadsBoard} board */
export function boardRows({ store, sweep }) {
  const off = new Set(store.state.edits.heads_off);
  const unit = sweep.outcome.predicts ? "kl_nats_without_it" : "moved_without_it";
  const rows = [["head", "on", unit]];
  for (const name of store.stacks.flatMap((stack) => Array.from({ length: store.layers(stack) }, (_, l) => Array.from({ length: store.heads }, (_, h) => store.headName(l, h, stack)))).flat()) {
    rows.push([name, off.has(name) ? 0 : 1, sweep.found.get(name) ?? ""]);
  }
  return rows;
}
