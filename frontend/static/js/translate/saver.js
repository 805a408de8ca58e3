/** The save buttons of a translator's figures. Graph and tree are drawings: they save themselves. */

import { textFigure, textRows } from "../decoder/figures.js";
import { DecoderSaver } from "../decoder/saver.js";
import { alignmentFigure, alignmentRows } from "./figures.js";

export class TranslationSaver extends DecoderSaver {
  save(what, kind) {
    const { run, alignment, graph, tree, lengths, partner } = this.lab;
    if (what === "lengths") return this.write(kind, () => lengths.saved(), () => lengths.rows(), what);
    if (what === "graph" || what === "beam") {
      const view = { graph, beam: tree }[what];
      if (what === "beam" && !view.search.tree.length) return;
      return kind === "csv" ? this.write(kind, null, () => view.rows(), what) : this.drawing(view.exportSVG(), kind, what);
    }
    if (!run.target.length) return;
    if (what === "text") return this.write(kind, () => textFigure(run), () => this.texts(), what);
    if (what === "partner") {
      if (!partner.second?.target.length) return;
      const map = partner.alignment;
      const rows = () => [["network", ...textRows(run)[0]], ...this.tagged(run), ...this.tagged(partner.second)];
      return this.write(kind, () => (map ? this.figureOf(map) : textFigure(partner.second)), rows, what);
    }
    this.write(kind, () => this.figureOf(alignment), () => alignmentRows(run, (k) => alignment.row(k)), `attention-${alignment.quantity}`);
  }

  texts() {
    return textRows(this.lab.run);
  }

  tagged(translation) {
    return textRows(translation).slice(1).map((row) => [translation.about.id, ...row]);
  }

  figureOf(map) {
    return alignmentFigure(map.translation, map.quantity, map.limits, (k) => map.row(k));
  }
}
