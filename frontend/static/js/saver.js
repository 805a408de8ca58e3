/** The save buttons of a character network's figures: PNG, SVG, CSV. */

import * as figures from "./exports.js";
import { unitTraces } from "./unit-chart.js";

export class Saver {
  constructor(lab) {
    this.lab = lab;
    figures.saveButtons((what, kind) => this.save(what, kind));
  }

  save(what, kind) {
    const { about, store, layers, picked, compare, session } = this.lab;
    if (!store.length) return;
    if (what === "unit") {
      const traces = unitTraces(picked.layer.points, picked.unit, store.length);
      const figure = () => figures.unitFigure(about, store, picked.layer, picked.unit, traces);
      return this.write(kind, figure, () => figures.unitRows(store, traces), `${picked.layer.points.h.name}-unit-${picked.unit}`);
    }
    if (what === "graph") {
      return this.write(kind, () => figures.graphFigure(about, store, layers), () => figures.textRows(store), "unrolled");
    }
    const runs = [{ checkpoint: about, store }];
    if (what === "compare" && compare.session2) runs.push({ checkpoint: compare.session2.checkpoint, store: compare.session2.store });
    const rows = () =>
      runs.length === 1
        ? figures.textRows(session.store)
        : [["network", ...figures.textRows(store)[0]], ...runs.flatMap((run) => figures.textRows(run.store).slice(1).map((row) => [run.checkpoint.id, ...row]))];
    return this.write(kind, () => figures.surpriseFigure(runs), rows, what);
  }

  /** One heat map. */
  map(map, kind, session = this.lab.session) {
    const { store, checkpoint } = session;
    if (!store.length) return;
    const { point } = map;
    const figure = () => figures.mapFigure(checkpoint, store, point, map.order);
    this.write(kind, figure, () => figures.mapRows(store, point, map.order), point.name, checkpoint.id);
  }

  write(kind, figure, rows, name, id = this.lab.about.id) {
    return figures.save(kind, figure, rows, `${id}-${name}`, (words) => this.lab.controls.say(words));
  }
}
