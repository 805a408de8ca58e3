/**
 * Where a reader says how a decoder is to search: beams, their length penalty, the most tokens, a
 * seed where there is one, and the pace; the button that begins, and the one that stops.
 * A subclass says what is read.
 */

const get = (id) => document.getElementById(id);

export class Desk {
  /**
   * @param {object} options
   * @param {string} options.begin  id of the button that begins @param {number} options.most  tokens, where none are told
   * @param {() => void} options.onRun @param {() => void} options.onStop
   * @param {(which: string) => void} options.onOption
   */
  constructor({ begin, most, onRun, onStop, onOption }) {
    Object.assign(this, { beginning: begin, most });
    get(begin).addEventListener("click", onRun);
    get("stop").addEventListener("click", onStop);
    for (const id of ["beam", "penalty", "most", "seed", "pace"]) get(id)?.addEventListener("change", () => onOption(id));
  }

  /** The options as the server takes them, within what the fields allow. */
  get options() {
    const options = {
      beam_size: Number(get("beam").value),
      length_penalty: numberIn("penalty", 1),
      max_new_tokens: Math.round(numberIn("most", this.most)),
    };
    return get("seed") ? { ...options, seed: numberIn("seed", null) } : options;
  }

  set options({ beam_size, length_penalty, max_new_tokens, seed = null }) {
    get("beam").value = String(Math.max(1, Math.min(8, beam_size)));
    get("penalty").value = String(length_penalty);
    get("most").value = String(max_new_tokens);
    if (get("seed")) get("seed").value = seed === null ? "" : String(seed);
    this.refresh(false);
  }

  /** Steps a second; 0: as they come. */
  get pace() {
    return Math.max(0, Number(get("pace").value) || 0);
  }

  set pace(pace) {
    get("pace").value = String(pace);
    if (get("pace").selectedIndex < 0) get("pace").value = "0";
  }

  /** Buttons as the run stands. */
  refresh(busy) {
    const [now, other] = busy ? ["stop", this.beginning] : [this.beginning, "stop"];
    const held = document.activeElement === get(other);
    get(now).hidden = false;
    if (held) get(now).focus();
    get(other).hidden = true;
    get("penalty").closest("label").classList.toggle("off", get("beam").value === "1");
    get("seed")?.closest("label").classList.toggle("off", get("beam").value !== "1");
    document.body.classList.toggle("busy", busy);
  }

  /** To a listener. */
  say(words) {
    if (get("live").textContent !== words) get("live").textContent = words;
  }
}

/** The number in a field, within what it allows; the fallback where there is none. */
function numberIn(id, fallback) {
  const { value, min, max } = get(id);
  return value.trim() === "" || !Number.isFinite(Number(value)) ? fallback : Math.max(Number(min), Math.min(Number(max), Number(value)));
}
