/** What networks make of a text: asked for once, and kept while the text is the same. */

import { context, trace } from "../api.js";
import { decode, shapeOf } from "../arrays.js";
import { inWords } from "../problem.js";
import { t } from "../words.js";

export const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64]; // characters that are given
const TOP = 5; // likeliest characters that are told
const SHOWN = 3; // unknown characters that are told

/** Bits of a probability; NaN of what is not there. */
export function bits(probability) {
  return -Math.log2(probability);
}

/** The mean over a text; the first character, which nothing stands before, has no value. */
export function mean(values) {
  let sum = 0;
  for (let k = 1; k < values.length; k++) sum += values[k];
  return sum / (values.length - 1);
}

/**
 * @typedef {object} Reading
 * @property {Float32Array} probability of each character given those before it; NaN for the first
 * @property {Float64Array} bits
 * @property {{token: string, probability: number}[][]} top before each character; none before the first
 * @property {string} [problem] why there is nothing else
 */

/** What went wrong, short enough for a line of a table. */
function said(error) {
  const found = error.details?.characters ?? [];
  const few = error.code === "unknown_characters" && found.length > SHOWN ? { ...error, details: { characters: found.slice(0, SHOWN) } } : error;
  const [title, hint] = inWords(few);
  if (few === error) return [title, hint].filter(Boolean).join(" ");
  return `${title} ${t("And {n} more.", { n: (error.details.count ?? found.length) - SHOWN })}`;
}

export class Readings {
  constructor() {
    this.kept = new Map();
  }

  /** A network's reading. @returns {Promise<Reading>} */
  read(id, text) {
    return this.once(`${id}\n${text}`, async () => {
      const answer = await trace(id, { text, points: [], top: TOP });
      const characters = Array.from(text);
      if (!answer.probability || answer.tokens.length !== characters.length) throw new Error(t("It reads tokens, not single characters."));
      const probability = decode(answer.probability);
      const likely = decode(answer.next.probabilities);
      const width = shapeOf(answer.next.probabilities)[1];
      const top = [[], ...answer.next.tokens.slice(0, -1).map((tokens, step) => tokens.map((token, k) => ({ token, probability: likely[step * width + k] })))];
      return { probability, bits: Float64Array.from(probability, bits), top };
    });
  }

  /**
   * Bits of each character where only so many before it are given: a row for each of `lengths`, the
   * last of them the whole text.
   * @returns {Promise<{lengths: number[], rows: Float64Array[]}>}
   */
  remember(id, text) {
    return this.once(`${id}\n\n${text}`, async () => {
      const count = Array.from(text).length;
      const lengths = LENGTHS.filter((length) => length < count - 1);
      const whole = await this.read(id, text);
      if (whole.problem) return { problem: whole.problem };
      if (!lengths.length) return { lengths: [count - 1], rows: [whole.bits] };
      const found = decode((await context(id, { text, lengths })).probability);
      const rows = lengths.map((_, row) => Float64Array.from(found.subarray(row * count, (row + 1) * count), bits));
      return { lengths: [...lengths, count - 1], rows: [...rows, whole.bits] };
    });
  }

  once(key, ask) {
    if (!this.kept.has(key)) {
      const asked = ask().catch((error) => {
        if (!error.status) this.kept.delete(key); // the server was not there: ask again
        return { problem: error.code ? said(error) : error.message };
      });
      this.kept.set(key, asked);
      if (this.kept.size > 200) this.kept.delete(this.kept.keys().next().value);
    }
    return this.kept.get(key);
  }
}

/** From how many characters on the mean stays within `slack` bits of that with the whole text. */
export function reach(lengths, means, slack = 0.05) {
  let from = lengths.length - 1;
  while (from > 0 && Math.abs(means[from - 1] - means.at(-1)) <= slack) from--;
  return lengths[from];
}
