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

/** Does token k go on with the word of the token before it? */
function joined(tokens, k) {
  if (k === 0 || isMark(tokens[k]) || isMark(tokens[k - 1])) return false;
  if (tokens[k].startsWith("##")) return true;
  return WORD.test(Array.from(bare(tokens[k - 1])).at(-1) ?? "") && WORD.test(Array.from(bare(tokens[k]))[0] ?? "");
}

/**
 * Labels of tokens, for an axis. Of single characters none goes on with another.
 * @param {string[]} tokens
 */
export function labelsOf(tokens) {
  const single = tokens.every((token) => isMark(token) || Array.from(token).length === 1);
  const spaced = tokens.some((token) => !isMark(token) && /^[\s▁Ġ]/.test(token));
  const pieces = tokens.some((token) => token.startsWith("##"));
  return tokens.map((token, k) => {
    if (isMark(token)) return token;
    const text = bare(token);
    const word = text.trim();
    if (!word) return Array.from(text || "␣", mark).join("");
    return !single && (spaced || pieces) && joined(tokens, k) ? `·${word}` : Array.from(word, mark).join("");
  });
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
