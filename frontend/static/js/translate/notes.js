/** What has to be said about a translation besides its words: unknown words, a cut, a stop. */

import { inQuotes, t } from "../words.js";

/** Say it in `host`, or hide it. @param {import("./translation.js").Translation} translation */
export function note(host, { source, target, busy, whole, ended }) {
  const unknown = new Set(source.filter(({ copied }) => copied).map(({ token }) => inQuotes(token)));
  const notes = [];
  if (target.length && !busy && !whole) notes.push(t("stopped"));
  if (unknown.size) notes.push(t("not in its vocabulary: {list}. It reads such a word as <unk>, and where it writes <unk> the word is copied.", { list: [...unknown].join(", ") }));
  if (whole && !ended) notes.push(t("cut off: it did not end by itself"));
  host.textContent = notes.join(" ");
  host.hidden = !notes.length;
}
