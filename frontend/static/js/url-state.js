/** The state of a character network's lab, as its address holds it. */

import { Address } from "./address.js";

export const ADDRESS = new Address({
  prefix: "",
  seed: 7,
  temperature: 0.8,
  top_k: 0,
  top_p: 1,
  n: 0, // characters written after the prefix
  at: -1, // current step; -1: the newest
  unit: "", // "layer.unit"
  layer: "", // layer of the maps; "all"; empty: the last
  points: "", // letters of the maps in order, e.g. "c,h,f"
  order: "index",
  height: "fit",
  colour: "none", // of the text: none, surprise, unit, kept
  zoom: 0, // css px a column; 0: as the page likes
  compare: "",
});
