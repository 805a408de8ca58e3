/** What the server read of a text: its tokens, and what comes next. */

import { sliced } from "./sliced.js";

/**
 * @typedef {object} Reading
 * @property {string} text
 * @property {string[]} tokens  in the order they were read @property {number[]} ids
 * @property {[number, number][]} spans  in the text
 * @property {{tokens: string[], ids: number[], inputs: string[], outputs: string[]}|null} target  of a
 *   translator: what was written. Row i of its decoder has read `inputs` up to i and writes
 *   `outputs[i]`; the last is "…" where the text has no end
 * @property {{tokens: string[], ids: number[], probabilities: Float32Array}|null} next
 * @property {boolean} edited
 * @property {{text, target, edits}} wish  what was asked for @property {string} key  names it
 */

/** An answer of POST .../slices. @returns {Reading} */
export function readingOf(answer, wish, key, translates) {
  const { next, target_tokens: targets } = answer;
  return {
    text: wish.text,
    wish,
    key,
    tokens: answer.tokens,
    ids: answer.token_ids,
    spans: answer.spans,
    target: translates ? targetOf(targets, answer.target_ids) : null,
    next: next ? { tokens: next.tokens, ids: next.token_ids, probabilities: sliced({ data: next.probabilities }).data } : null,
    edited: answer.edited,
  };
}

function targetOf(tokens, ids) {
  const ended = tokens.at(-1) === "</s>";
  return { tokens, ids, inputs: ["<s>", ...(ended ? tokens.slice(0, -1) : tokens)], outputs: ended ? tokens : [...tokens, "…"] };
}
