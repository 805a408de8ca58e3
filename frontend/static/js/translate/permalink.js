/** The page and its address: what is restored on opening, and what is written back. */

const get = (id) => document.getElementById(id);

/** Bring the page to what its address says. @param {any} lab */
export function restore(lab) {
  const { about, alignment, arithmetic, lengths, partner, present, desk, state, steering } = lab;
  desk.text = state.text || about.prompt || "";
  desk.options = { beam_size: state.beam, length_penalty: state.penalty, max_new_tokens: state.most };
  desk.pace = state.pace;
  if (state.text) steering.edits.restore(state);
  steering.wanted = /^(\d+)-(\d+)$/.exec(state.text ? state.cell : "")?.slice(1).map(Number) ?? null;
  arithmetic.unit = Math.round(state.unit);
  alignment?.show(state.map);
  get("length-head").hidden = !lengths.any;
  if (state.partner) {
    get("partner").value = state.partner;
    partner.choose(get("partner").value);
  }
  if (present.on) present.turn(0);
  if (desk.text) steering.ask();
  lab.wake();
}

/** The page's state, as `ADDRESS` writes it. @param {any} lab */
export function addressOf({ alignment, arithmetic, link, partner, desk, steering }) {
  const { beam_size, length_penalty, max_new_tokens } = desk.options;
  const { target, source } = link.pin;
  return {
    text: steering.subject ?? desk.text,
    beam: beam_size,
    penalty: length_penalty,
    most: max_new_tokens,
    pace: desk.pace,
    ...steering.edits.words,
    cell: target >= 0 ? `${target}-${Math.max(0, source)}` : "",
    unit: arithmetic.unit,
    map: alignment?.quantity ?? "weight",
    partner: partner.id,
  };
}
