/** What has to be said about a caption besides its words, and which word says the most. */

import { isSign } from "../decoder/tokens.js";
import { surprise, t } from "../words.js";

/**
 * Say it in `host`, or hide it: a photo on its way, a stop, a cut.
 * @param {import("./caption.js").Caption} run @param {import("./picture.js").Picture|null} picture
 *   that is wanted now
 */
export function note(host, run, picture) {
  const notes = [];
  if (run.busy && run.picture !== picture) notes.push(t("the photo is being looked at"));
  if (run.target.length && !run.busy && !run.whole) notes.push(t("stopped"));
  if (run.whole && !run.ended) notes.push(t("cut off: it did not end by itself"));
  host.textContent = notes.join(" ");
  host.hidden = !notes.length;
}

/**
 * The word that looks most sharply and is least to be expected, of those that nobody forced.
 * @param {import("./caption.js").Caption} run  with attention @returns {number}
 */
export function sharpest({ target }) {
  const most = target.map(({ attention, forced, probability, token }) => (forced === null && !isSign(token) ? Math.max(...attention) * surprise(probability) : -1));
  return most.indexOf(Math.max(...most));
}
