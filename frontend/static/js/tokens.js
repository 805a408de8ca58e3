/**
 * What a network takes for one token: a character, mostly; where `config.reads` says so, what
 * stands between white space, and then the token is shown with a blank behind it.
 */

/** Whether the tokens of a checkpoint are words. @param {{config?: {reads?: string}}} checkpoint */
export const readsWords = (checkpoint) => checkpoint.config?.reads === "tokens";

/** Whether there are signs of several characters among them, such as <eos>. */
export const readsSigns = (checkpoint) => checkpoint.config?.reads === "characters_and_signs";

/** A text in the form in which the tokens of a checkpoint are put together again. */
export function tidy(checkpoint, text) {
  if (!readsWords(checkpoint)) return text;
  return text.split(/\s+/).filter(Boolean).map((word) => `${word} `).join("");
}

/**
 * How many of the columns stand at the beginning of `text` as they are; all that follow are to be
 * read again. `whole`: they are all of it.
 * @param {{token: string}[]} columns
 */
export function kept(checkpoint, columns, text) {
  const wanted = tidy(checkpoint, text);
  let same = 0;
  let at = 0;
  while (same < columns.length && wanted.startsWith(columns[same].token, at)) at += columns[same++].token.length;
  const whole = at === wanted.length;
  // A sign such as <eos> is one token once its last character is typed: nothing before it is safe.
  if (!whole && readsSigns(checkpoint)) same = 0;
  return { same, whole };
}
