/** Keys of the transformer's page. A key does what its entry in the help panel says. */

import { keys } from "../keyboard.js";
import { switchHead } from "./otherwise.js";

/** @param {any} lab */
export function transformerKeys(lab) {
  const { store, present } = lab;
  const query = (by) => {
    const last = store.queries().length - 1;
    if (last >= 0) store.set({ query: Math.max(0, Math.min(last, store.query + by)), key: -1 });
  };
  keys({
    ArrowLeft: () => query(-1),
    ArrowRight: () => query(1),
    Home: () => query(-Infinity),
    End: () => query(Infinity),
    "[": () => store.step(-1),
    "]": () => store.step(1),
    "{": () => store.set({ layer: store.state.layer - 1 }),
    "}": () => store.set({ layer: store.state.layer + 1 }),
    a: () => lab.head.turn(),
    x: () => switchHead(store),
    Escape: () => store.set({ key: -1 }),
    "/": () => document.getElementById("prompt").focus(),
    p: () => present.toggle(),
    "?": () => document.getElementById("help").showModal(),
    PageDown: () => present.turn(1),
    PageUp: () => present.turn(-1),
  });
}
