/** The page and its address: what is restored on opening, and what is written back. */

/** Bring the page to what its address says. @param {any} lab */
export async function restore(lab) {
  const { arithmetic, desk, present, region, run, state, steering, view } = lab;
  const seed = /^\d+$/.test(state.seed) ? Number(state.seed) : null;
  desk.options = { beam_size: state.beam, length_penalty: state.penalty, max_new_tokens: state.most, seed };
  desk.pace = state.pace;
  view.raw = state.light === "raw";
  view.common = state.scale === "common";
  arithmetic.unit = Math.round(state.unit);
  if (present.on) present.turn(0);
  const first = desk.photos[0]?.name;
  const known = desk.photos.some(({ name }) => name === state.photo);
  if (known) {
    steering.edits.restore(state);
    const found = /^(\d+)(?:-(\d+))?$/.exec(state.cell);
    if (found) steering.wanted = [Number(found[1]), found[2] === undefined ? null : Number(found[2])];
    if (run.attends) region.restore(state.region, run.columns ** 2);
  }
  lab.restoring = known;
  if (first) await desk.example(known ? state.photo : first);
  lab.wake();
}

/** The page's state, as `ADDRESS` writes it. @param {any} lab */
export function addressOf({ arithmetic, desk, link, question, region, steering, view }) {
  const { beam_size, length_penalty, max_new_tokens, seed = null } = desk.options;
  const { target, source } = link.pin;
  const own = steering.subject && !steering.subject.id; // what was chosen belongs to its words
  return {
    photo: own ? "" : (steering.subject?.id ?? ""),
    beam: beam_size,
    penalty: length_penalty,
    most: max_new_tokens,
    pace: desk.pace,
    seed: seed === null ? "" : String(seed),
    ...(own ? { prefix: "", picks: "", force: "" } : steering.edits.words),
    cell: own || target < 0 ? "" : source >= 0 ? `${target}-${source}` : String(target),
    region: own ? "" : region.words,
    light: view.raw ? "raw" : "smooth",
    scale: view.common ? "common" : "own",
    unit: arithmetic.unit,
    ...question?.asked,
  };
}
