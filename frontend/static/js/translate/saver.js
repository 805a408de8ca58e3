/** The save buttons of a translator's figures. Graph and tree are drawings: they save themselves. */

import { stateFigure, textFigure, textRows } from "../decoder/figures.js";
import * as figures from "../exports.js";
import { t } from "../words.js";
import { alignmentFigure, alignmentRows } from "./figures.js";

export class TranslationSaver {
  /** @param {any} lab */
  constructor(lab) {
    this.lab = lab;
    figures.saveButtons((what, kind) => this.save(what, kind));
  }

  save(what, kind) {
    const { lab } = this;
    const { translation, alignment, graph, tree, lengths, partner } = lab;
    if (what === "lengths") return this.write(kind, () => lengths.saved(), () => lengths.rows(), what);
    if (what === "graph" || what === "beam") {
      const view = { graph, beam: tree }[what];
      if (what === "beam" && !view.search.tree.length) return;
      return kind === "csv" ? this.write(kind, null, () => view.rows(), what) : this.drawing(view.exportSVG(), kind, what);
    }
    if (!translation.target.length) return;
    if (what === "text") return this.write(kind, () => textFigure(translation), () => this.texts(), what);
    if (what === "partner") {
      if (!partner.second?.target.length) return;
      const map = partner.alignment;
      const rows = () => [["network", ...textRows(translation)[0]], ...this.tagged(translation), ...this.tagged(partner.second)];
      return this.write(kind, () => (map ? this.figureOf(map) : textFigure(partner.second)), rows, what);
    }
    this.write(kind, () => this.figureOf(alignment), () => alignmentRows(translation, (k) => alignment.row(k)), `attention-${alignment.quantity}`);
  }

  texts() {
    return textRows(this.lab.translation);
  }

  tagged(translation) {
    return textRows(translation).slice(1).map((row) => [translation.about.id, ...row]);
  }

  figureOf(map) {
    return alignmentFigure(map.translation, map.quantity, map.limits, (k) => map.row(k));
  }

  /** One heat map of states. */
  map(map, kind, { store }) {
    if (!store.length) return;
    const { translation } = this.lab;
    this.write(kind, () => stateFigure(translation, store, map.point, map.order), () => figures.mapRows(store, map.point, map.order), map.point.name);
  }

  write(kind, figure, rows, name) {
    return figures.save(kind, figure, rows, `${this.lab.about.id}-${name}`, (words) => this.lab.sentence.say(words));
  }

  /** An SVG drawing as a file of its own, or as the pixels of it. */
  async drawing(svg, kind, name) {
    const file = `${this.lab.about.id}-${name}`;
    try {
      await figures.saveDrawing(svg, kind, file);
    } catch {
      this.lab.sentence.say(t("The picture could not be made."));
    }
  }
}
