/** Keys of the page of steps. A key does what its entry in the help panel says. */

import { keys } from "../../keyboard.js";

/** @param {any} page */
export function stepKeys({ walk, turning, present }) {
  const token = (by) => walk.T && walk.set({ query: Math.max(0, Math.min(walk.T - 1, walk.query + by)), key: -1 });
  const head = (by) => {
    const { layer, head: chosen } = walk.state;
    const place = Math.max(0, Math.min(walk.layers * walk.heads - 1, layer * walk.heads + chosen + by));
    walk.set({ layer: Math.floor(place / walk.heads), head: place % walk.heads });
  };
  keys({
    ArrowRight: () => turning.turn(1),
    ArrowLeft: () => turning.turn(-1),
    PageDown: () => turning.turn(1),
    PageUp: () => turning.turn(-1),
    ",": () => token(-1),
    ".": () => token(1),
    "[": () => head(-1),
    "]": () => head(1),
    "{": () => walk.set({ layer: walk.state.layer - 1 }),
    "}": () => walk.set({ layer: walk.state.layer + 1 }),
    Escape: () => walk.set({ key: -1, unit: -1 }),
    "/": () => document.getElementById("prompt").focus(),
    p: () => present.toggle(),
    "?": () => document.getElementById("help").showModal(),
  });
}
