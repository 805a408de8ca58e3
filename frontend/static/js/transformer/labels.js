/** Tokens as a reader sees them: blanks as marks, a piece that goes on with a word after a dot. */

import { isSign } from "../decoder/tokens.js";
import { mark, spoken } from "../words.js";

const WORD = /[\p{L}\p{N}\p{M}]/u;

/** The text of a token without the marks of its vocabulary. */
export function bare(token) {
  return token.replace(/^##/, "").replaceAll("▁", " ").replaceAll("Ġ", " ").replaceAll("Ċ", "\n");
}

/** Is it a sign of the network's own: `</s>`, `[CLS]`, `<|endoftext|>`? */
export function isMark(token) {
  return isSign(token) || /^\[(CLS|SEP|PAD|UNK|MASK)\]$/.test(token) || /^<\|\S+\|>$/.test(token);
}

/** Does a token go on with the word of the token before it? */
function joins(before, token) {
  if (before === undefined || isMark(token) || isMark(before)) return false;
  if (token.startsWith("##")) return true;
  return WORD.test(Array.from(bare(before)).at(-1) ?? "") && WORD.test(Array.from(bare(token))[0] ?? "");
}

/** Is each token a single character? */
function areSingle(tokens) {
  return tokens.every((token) => isMark(token) || Array.from(token).length === 1);
}

/** Do tokens go on with words at all, or is each a word or a character? @param {string[]} tokens */
export function spellingOf(tokens) {
  const spaced = tokens.some((token) => !isMark(token) && /^[\s▁Ġ]/.test(token));
  return !areSingle(tokens) && (spaced || tokens.some((token) => token.startsWith("##")));
}

/** The label of a token after another. @param {boolean} pieces  as `spellingOf` has it */
export function labelOf(token, before, pieces) {
  if (isMark(token)) return token;
  const text = bare(token);
  const word = text.trim();
  if (!word) return Array.from(text || "␣", mark).join("");
  return pieces && joins(before, token) ? `·${word}` : Array.from(word, mark).join("");
}

/**
 * Labels of tokens, for an axis. Of single characters none goes on with another.
 * @param {string[]} tokens
 * @param {[number, number][]} [spans]  their places in the text, where tokens have no blanks of their own
 */
export function labelsOf(tokens, spans) {
  const pieces = spellingOf(tokens) || (spans !== undefined && !areSingle(tokens));
  const touches = (k) => k > 0 && (!spans || spans[k][0] === spans[k - 1][1]);
  return tokens.map((token, k) => labelOf(token, touches(k) ? tokens[k - 1] : undefined, pieces));
}

/** Labels of the tokens that look, or are looked at. @param {import("./store.js").Store} store */
export function labelsFor(store, side) {
  const tokens = side === "query" ? store.queries() : store.keys();
  return labelsOf(tokens, tokens === store.reading?.tokens ? store.reading.spans : undefined);
}

/** A token for a listener. */
export function told(token) {
  const text = bare(token);
  return text.trim() ? text.trim() : Array.from(text, spoken).join(" ");
}

/** A token as parts: blanks as marks (`blank` true) and text between them. */
export function partsOf(token) {
  return (isMark(token) ? [token] : bare(token).split(/(\s)/)).filter(Boolean).map((text) => ({ text: Array.from(text, mark).join(""), blank: /^\s$/.test(text), line: text === "\n" }));
}
