/** Keys of the captioner's page. A key does what its entry in the help panel says. */

import { keys } from "../keyboard.js";

const RANKS = [1, 2, 3, 4, 5, 6, 7, 8];

/** @param {any} lab */
export function captionKeys(lab) {
  const { link, region, run, steering, present, view } = lab;
  const step = (by) => {
    const last = run.target.length - 1;
    if (last < 0) return;
    const at = link.pin.target < 0 ? (by > 0 ? 0 : last) : Math.max(0, Math.min(last, link.pin.target + by));
    lab.go(by === Infinity ? last : at);
  };
  const take = (rank) => {
    const at = lab.step.current;
    const here = run.target[at];
    const candidate = here?.top[rank];
    if (candidate && candidate.token_id !== here.token_id) steering.take(at, candidate.token_id);
  };
  keys({
    Space: () => (run.busy ? steering.stop() : lab.begin()),
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    l: () => view.step >= 0 && region.area && steering.look(view.step, region.to),
    u: () => steering.edits.list.length && steering.takeBack(steering.edits.list.at(-1)),
    g: () => lab.show({ raw: !view.raw }),
    o: () => document.getElementById("choose").click(),
    r: () => document.getElementById("dice")?.click(),
    Escape: () => (region.area ? region.clear() : link.choose()),
    p: () => present.toggle(),
    "?": () => document.getElementById("help").showModal(),
    PageDown: () => present.turn(1),
    PageUp: () => present.turn(-1),
    ...Object.fromEntries(RANKS.map((n) => [String(n), () => take(n - 1)])),
  });
}
