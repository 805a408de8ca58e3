/** The save buttons of every figure: PNG, SVG, CSV. */

import * as figures from "./exports.js";
import { loadPlotly } from "./plotly.js";
import { unitTraces } from "./unit-chart.js";
import { make, pageData, t } from "./words.js";

export class Saver {
  constructor(lab) {
    this.lab = lab;
    for (const host of document.querySelectorAll("[data-save]")) {
      for (const kind of ["png", "svg", "csv"]) {
        const name = kind.toUpperCase();
        const button = make("button", { class: "plain", type: "button", title: t("save as {kind}", { kind: name }) }, name);
        button.addEventListener("click", () => this.save(host.dataset.save, kind));
        host.append(button);
      }
    }
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

  async write(kind, figure, rows, name, id = this.lab.about.id) {
    const file = `${id}-${name}`;
    if (kind === "csv") return figures.saveCsv(rows(), file);
    try {
      await figures.saveFigure(await loadPlotly(pageData.plotly_url), figure(), kind, file);
    } catch {
      this.lab.controls.say(t("The picture could not be made: the drawing library did not load."));
    }
  }
}
