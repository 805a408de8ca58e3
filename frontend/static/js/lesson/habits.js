/**
 * Habits that a head may have in a text of characters, each as the place it would look at. A habit is
 * asked only of characters at which it means another place than "itself" or "the one before".
 */

/** @type {Record<string, (text: string[], query: number) => number>} the key, or -1: not asked here */
export const HABITS = {
  itself: (text, q) => q,
  before: (text, q) => q - 1,
  word: (text, q) => {
    const start = wordStart(text, q);
    return isLetter(text[q]) && start < q - 1 ? start : -1;
  },
  gap: (text, q) => {
    const start = wordStart(text, q);
    return isLetter(text[q]) && start > 0 && start < q ? start - 1 : -1;
  },
  line: (text, q) => {
    const at = text.lastIndexOf("\n", q - 1);
    return q > 0 && at < q - 1 ? at : -1;
  },
};
const FROM = 2; // the first rows of a causal head have little choice

const isLetter = (character) => /\p{L}/u.test(character);

function wordStart(text, q) {
  while (q > 0 && isLetter(text[q - 1])) q--;
  return q;
}

/**
 * Share of a head's weight that lies where each habit says, on average over the rows that it is asked of.
 * @param {(query: number, key: number) => number} weight @param {string[]} text
 * @returns {Record<string, number>}
 */
export function shares(weight, text) {
  return Object.fromEntries(Object.entries(HABITS).map(([name, place]) => {
    let [sum, count] = [0, 0];
    for (let q = FROM; q < text.length; q++) {
      const key = place(text, q);
      if (key < 0) continue;
      sum += weight(q, key);
      count++;
    }
    return [name, count ? sum / count : NaN];
  }));
}
