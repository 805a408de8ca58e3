/** The save buttons of a decoder's figures. A subclass says what each saves (`save`). */

import * as figures from "../exports.js";
import { t } from "../words.js";
import { stateFigure } from "./figures.js";

export class DecoderSaver {
  /** @param {any} lab */
  constructor(lab) {
    this.lab = lab;
    figures.saveButtons((what, kind) => this.save(what, kind));
  }

  /** One heat map of states. */
  map(map, kind, { store }) {
    if (!store.length) return;
    const { run } = this.lab;
    this.write(kind, () => stateFigure(run, store, map.point, map.order), () => figures.mapRows(store, map.point, map.order), map.point.name);
  }

  /** A figure, or its numbers. */
  write(kind, figure, rows, name) {
    return figures.save(kind, figure, rows, `${this.lab.about.id}-${name}`, (words) => this.lab.desk.say(words));
  }

  /** An SVG drawing as a file of its own, or as the pixels of it. */
  async drawing(svg, kind, name) {
    try {
      await figures.saveDrawing(svg, kind, `${this.lab.about.id}-${name}`);
    } catch {
      this.lab.desk.say(t("The picture could not be made."));
    }
  }
}
