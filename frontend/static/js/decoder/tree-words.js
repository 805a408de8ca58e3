/** The tree of a search in words: one node with its path and its numbers, or the search. */

import { inQuotes, percent, short, t } from "../words.js";

/**
 * @param {{node: import("./run.js").BeamNode, share: number}[]} path  of placed nodes, to
 *   the one that is told @param {import("./run.js").Hypothesis[]} hypotheses
 */
export function nodeInWords(path, hypotheses) {
  const { node, share } = path.at(-1);
  const ids = path.map((one) => one.node.token_id).join();
  const known = hypotheses.find(({ token_ids }) => token_ids.join() === ids);
  const text = known?.text ?? path.map((one) => one.node.token).join("").trim();
  const parts = [inQuotes(text), percent(share), `log p = ${short(node.log_probability)}`];
  if (known) parts.push(`${t("score")} ${short(known.score)}`);
  parts.push(t(node.ended ? "ended: Enter or a click reads it" : node.kept ? "kept in the search" : "dropped: others were more likely"));
  return parts.join(" · ");
}

/** @param {object[]} tree  all nodes @param {number} left  nodes that are not drawn */
export function searchInWords(tree, left) {
  if (!tree.length) return t("No search yet: choose two beams or more.");
  const said = t("Point at a node to see its path and its numbers.");
  return left ? `${said} ${t("{n} more were weighed and dropped: the CSV has them all.", { n: left })}` : said;
}
