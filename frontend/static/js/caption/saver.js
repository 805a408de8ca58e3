/** The save buttons of a captioner's figures. */

import { textFigure, textRows } from "../decoder/figures.js";
import { DecoderSaver } from "../decoder/saver.js";
import { attentionRows, coverageFigure, coverageRows, filmDrawing, stageDrawing, wordRows } from "./figures.js";

export class CaptionSaver extends DecoderSaver {
  save(what, kind) {
    const { question, run, tree, view } = this.lab;
    if (what === "question") return question.save(kind);
    if (what === "beam") {
      if (!tree.search.tree.length) return;
      return kind === "csv" ? this.write(kind, null, () => tree.rows(), what) : this.drawing(tree.exportSVG(), kind, what);
    }
    if (!run.target.length) return;
    const sums = view.coverage;
    const ways = {
      text: () => this.write(kind, () => textFigure(run), () => wordRows(textRows(run), run), what),
      coverage: () => sums && this.write(kind, () => coverageFigure(run, sums), () => coverageRows(run, sums), what),
      stage: () => (kind === "csv" ? this.write(kind, null, () => attentionRows(run), "attention") : this.drawing(stageDrawing(run, view), kind, what)),
      film: () => (kind === "csv" ? this.write(kind, null, () => attentionRows(run), "attention") : this.drawing(filmDrawing(run, view), kind, what)),
    };
    return ways[what]?.();
  }
}
