/** The save buttons of a captioner's figures. */

import { stateFigure, textFigure, textRows } from "../decoder/figures.js";
import * as figures from "../exports.js";
import { t } from "../words.js";
import { attentionRows, coverageFigure, coverageRows, filmDrawing, stageDrawing, wordRows } from "./figures.js";

export class CaptionSaver {
  /** @param {any} lab */
  constructor(lab) {
    this.lab = lab;
    figures.saveButtons((what, kind) => this.save(what, kind));
  }

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

  /** One heat map of states. */
  map(map, kind, { store }) {
    if (!store.length) return;
    const { run } = this.lab;
    this.write(kind, () => stateFigure(run, store, map.point, map.order), () => figures.mapRows(store, map.point, map.order), map.point.name);
  }

  write(kind, figure, rows, name) {
    return figures.save(kind, figure, rows, `${this.lab.about.id}-${name}`, (words) => this.lab.desk.say(words));
  }

  async drawing(svg, kind, name) {
    try {
      await figures.saveDrawing(svg, kind, `${this.lab.about.id}-${name}`);
    } catch {
      this.lab.desk.say(t("The picture could not be made."));
    }
  }
}
