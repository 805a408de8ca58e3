/** Keys of the translator's page. A key does what its entry in the help panel says. */

import { keys } from "../keyboard.js";

const RANKS = [1, 2, 3, 4, 5, 6, 7, 8];

/** @param {any} lab */
export function translatorKeys(lab) {
  const { link, translation, steering, present } = lab;
  const step = (by) => {
    const last = translation.target.length - 1;
    if (last < 0) return;
    const at = link.pin.target < 0 ? (by > 0 ? 0 : last) : Math.max(0, Math.min(last, link.pin.target + by));
    lab.go(by === Infinity ? last : at);
  };
  const column = (by) => {
    const { target, source } = link.pin;
    const last = translation.source.length - 1;
    if (target >= 0) link.choose(target, Math.max(0, Math.min(last, source + by)));
  };
  const take = (rank) => {
    const at = lab.step.current;
    const here = translation.target[at];
    const candidate = here?.top[rank];
    if (candidate && candidate.token_id !== here.token_id) steering.take(at, candidate.token_id);
  };
  keys({
    Space: () => (translation.busy ? steering.stop() : steering.begin()),
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    "[": () => column(-1),
    "]": () => column(1),
    l: () => link.pin.target >= 0 && link.pin.source >= 0 && steering.look(link.pin.target, link.pin.source),
    u: () => steering.edits.list.length && steering.takeBack(steering.edits.list.at(-1)),
    Escape: () => link.choose(),
    "/": () => lab.sentence.field.focus(),
    p: () => present.toggle(),
    "?": () => document.getElementById("help").showModal(),
    PageDown: () => present.turn(1),
    PageUp: () => present.turn(-1),
    ...Object.fromEntries(RANKS.map((n) => [String(n), () => take(n - 1)])),
  });
}
