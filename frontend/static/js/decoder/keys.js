/** Keys that the pages of all decoders have. A key does what its entry in the help panel says. */

const RANKS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Actions by the names of keys, as `keys` takes them. @param {any} lab */
export function decoderKeys(lab) {
  const { link, run, steering, present } = lab;
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
  return {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    u: () => steering.edits.list.length && steering.takeBack(steering.edits.list.at(-1)),
    p: () => present.toggle(),
    "?": () => document.getElementById("help").showModal(),
    PageDown: () => present.turn(1),
    PageUp: () => present.turn(-1),
    ...Object.fromEntries(RANKS.map((n) => [String(n), () => take(n - 1)])),
  };
}
