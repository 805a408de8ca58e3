/** The layers of a network, read from the points it has. */

import { Raster } from "./raster.js";

const GATES = "ifozr";
const KEEPERS = "fz"; // gates that say how much of the state goes on

/**
 * @typedef {object} Layer
 * @property {number} number @property {boolean} reverse
 * @property {Record<string, import("./trace-store.js").PointColumns>} points by letter
 * @property {object[]} gates points with values in 0..1
 * @property {object|null} cell the cell state, where there is one
 * @property {object|null} keeper the gate that keeps: f, or z of a GRU
 * @property {Raster} raster of the hidden state
 */

/** The layers of a store: which point is h, which are gates, which keeps. @returns {Layer[]} */
export function layersOf(store) {
  const layers = new Map();
  for (const point of store.points.values()) {
    const key = `${point.layer}${point.reverse ? " reverse" : ""}`;
    if (!layers.has(key)) layers.set(key, { number: point.layer, reverse: point.reverse, points: {}, gates: [] });
    const layer = layers.get(key);
    layer.points[point.letter] = point;
    if (point.range === "unit" && GATES.includes(point.letter)) layer.gates.push(point);
  }
  for (const layer of layers.values()) {
    layer.raster = new Raster(layer.points.h);
    layer.cell = layer.points.c ?? null;
    layer.keeper = layer.gates.find((gate) => KEEPERS.includes(gate.letter)) ?? null;
  }
  return [...layers.values()];
}

/** Means of gates over their units, a number a column, each computed once. */
export class GateMeans {
  constructor(store) {
    this.store = store;
    this.entries = new Map();
  }

  /** @returns {number[]} */
  of(point) {
    const { store, entries } = this;
    let entry = entries.get(point.name);
    if (!entry || entry.cuts !== store.cuts) {
      entry = { values: [], cuts: store.cuts };
      entries.set(point.name, entry);
    }
    for (let c = entry.values.length; c < store.length; c++) {
      let sum = 0;
      for (const value of point.row(c)) sum += value;
      entry.values.push(sum / point.units);
    }
    return entry.values;
  }
}
