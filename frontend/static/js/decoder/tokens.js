/** Tokens as a reader sees them: which go on with a word, how they are labelled, which were copied. */

import { mark } from "../words.js";

const ALPHABET = 512; // characters, at most
const WORD = /[\p{L}\p{N}\p{M}]/u;

/** Is it a sign of the network's own, e.g. `</s>`? It is no part of the text. */
export function isSign(token) {
  return /^<[^<>\s]+>$/.test(token);
}

/**
 * Does a network read single characters (dates), not pieces of words? Of a short text the tokens
 * do not tell: "a" is both. A vocabulary of words is larger than an alphabet.
 * @param {{config?: object, figures?: object}} about @param {string[]} tokens
 */
export function areCharacters({ config, figures }, tokens) {
  if (figures?.length_unit) return figures.length_unit === "characters";
  if (config?.source_size > ALPHABET) return false;
  return tokens.every((token) => isSign(token) || Array.from(token).length === 1);
}

/** Does `token` go on with the word that `before` ends in, no space being between them? */
function joins(before, token) {
  if (before === undefined || isSign(before) || isSign(token)) return false;
  return WORD.test(Array.from(before).at(-1) ?? "") && WORD.test(Array.from(token)[0] ?? "");
}

/**
 * A token as a label: blanks as visible marks; a piece that goes on with a word after a middle
 * dot, so that `walk` `·ing` is told from two words.
 */
function labelOf(token, joined) {
  const bare = token.trim();
  return bare ? (joined ? `·${bare}` : bare) : mark(token);
}

/**
 * Source tokens, as the reader wrote them, with their places in the text (in characters).
 * @param {string[]} tokens @param {[number, number][]} spans @param {number[]} copied
 * @param {boolean} characters  they are single ones
 */
export function sourceTokens(tokens, spans, copied, characters) {
  return tokens.map((token, k) => {
    const [start, stop] = spans[k];
    const joined = !characters && k > 0 && spans[k - 1][1] === start && joins(tokens[k - 1], token);
    return { token, start, stop, copied: copied.includes(k), joined, label: labelOf(token, joined) };
  });
}

/** `joined` and `label` of a written token after the one before it. */
export function written(token, before, characters) {
  const joined = !characters && joins(before, token);
  return { joined, label: labelOf(token, joined) };
}

/**
 * What stands in the finished text for each token that the network could not write itself: the
 * word that was copied. @returns {(string|null)[]} one a token
 */
export function copies(tokens, text) {
  const unknown = (token) => token === "<unk>";
  if (!tokens.some(unknown)) return tokens.map(() => null);
  const plain = (token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = tokens.map((token) => (unknown(token) ? "(.*?)" : isSign(token) ? "" : plain(token))).join("");
  const found = new RegExp(`^\\s*${pattern.replace(/^ +/, "")}\\s*$`, "s").exec(text);
  let rank = 0;
  // Where there was nothing to copy `<unk>` itself stands in the text.
  const told = (word) => (word && !unknown(word) ? word : null);
  return tokens.map((token) => (unknown(token) ? told(found?.[++rank]?.trim()) : null));
}

/**
 * Runs of tokens that make a word: [from, to) of each.
 * @param {{token: string, joined: boolean}[]} tokens
 */
export function wordsOf(tokens) {
  const words = [];
  tokens.forEach(({ token, joined }, k) => {
    const last = words.at(-1);
    if (joined && last) {
      last.to = k + 1;
      last.text += token;
    } else words.push({ from: k, to: k + 1, text: token });
  });
  return words;
}
