/** What the gradient bench knows of one network: an answer of the server, unpacked, and its numbers. */

import { decode } from "../arrays.js";
import { inQuotes, make, spoken } from "../words.js";

const TINY = 1e-6; // that clip_grad_norm_ adds to a norm

/** @typedef {{letter: string, log: Float32Array, carried: Float32Array}} Line  log10 of norms */

/** `rnn`, `lstm` or `gru`. @param {string} cell as a config names it */
export function family(cell) {
  return cell.replace(/_.*/, "");
}

/** What clipping makes of a gradient. @param {number} norm @param {number} most */
export function clipped(norm, most) {
  const factor = Math.min(1, most / (norm + TINY));
  return { factor, norm: norm * factor };
}

export class Answer {
  /** @param {any} about of the checkpoint @param {any} told as POST .../gradients answers */
  constructor(about, told) {
    this.about = about;
    this.family = family(about.config.cell);
    this.name = this.family.toUpperCase();
    this.tokens = told.tokens;
    this.losses = decode(told.losses);
    this.loss = Number(told.loss);
    this.norm = Number(told.whole.norm);
    this.whole = unpack(told.whole);
    this.truncated = told.truncated ? unpack(told.truncated) : null;
    this.cut = told.truncated && {
      norm: Number(told.truncated.norm),
      cosine: Number(told.truncated.cosine),
      starts: told.truncated.starts,
      norms: decode(told.truncated.chunk_norms),
    };
    const j = told.jacobians;
    this.jacobians = j && { steps: j.steps, state: j.state, radius: decode(j.radius), stretch: decode(j.stretch), kept: j.kept && decode(j.kept) };
  }

  get layers() {
    return this.about.config.num_layers;
  }

  /** The lines of a layer, h first. @param {number} layer -1: the last @returns {Line[]} */
  lines(layer, back = this.whole) {
    const number = layer < 0 ? this.layers - 1 : Math.min(layer, this.layers - 1);
    return ["h", "c"].flatMap((letter) => {
      const found = back[`rnn.${number}.${letter}`];
      return found ? [{ letter, ...found }] : [];
    });
  }

  /** Numbers of a layer's h for a loss at `at` (or the sum: then to the last step). */
  reach(layer, at, letter = "h") {
    const line = this.lines(layer).find((one) => one.letter === letter);
    if (!line) return null;
    const [first, last] = [line.log[0], line.log[at]];
    return { first: 10 ** first, last: 10 ** last, decades: first - last, ratio: 10 ** (first - last), halving: at ? (at * Math.log10(2)) / (last - first) : NaN };
  }
}

/** @returns {Record<string, {log: Float32Array, carried: Float32Array}>} by point */
function unpack(back) {
  return Object.fromEntries(
    Object.entries(back.gradients).map(([name, told]) => [name, { log: decode(told.data), carried: decode(back.carried[name].data) }]),
  );
}

/**
 * A number from its log10, to three digits near 1, else to two and a power of ten.
 * @returns {[string, string]} what stands before the exponent, and the exponent or ""
 */
export function parts(log) {
  if (Number.isNaN(log)) return ["NaN", ""];
  if (log === -Infinity) return ["0", ""];
  if (log === Infinity) return ["∞", ""];
  if (log > -3 && log < 4) {
    const value = 10 ** log;
    return [value >= 1000 ? String(Math.round(value)) : value.toPrecision(3), ""];
  }
  let exponent = Math.floor(log);
  let digits = (10 ** (log - exponent)).toFixed(1);
  if (digits === "10.0") [digits, exponent] = ["1.0", exponent + 1];
  return [`${digits}·10`, String(exponent).replace("-", "−")];
}

/** The same for the page. @returns {HTMLElement} */
export function number(log) {
  const [text, exponent] = parts(log);
  return make("span", { class: "num" }, text, ...(exponent ? [make("sup", {}, exponent)] : []));
}

/** The same to be spoken. */
export function spokenNumber(log) {
  const [text, exponent] = parts(log);
  return exponent ? `${text.replace("·10", "")}e${exponent}` : text;
}

/** A character between the quotes of the reader's language, or a blank by its name. */
export function quoted(token) {
  const word = spoken(token);
  if (word !== token) return word;
  return inQuotes(token);
}
