/**
 * Rectangles of a map that may not be looked at: [first query, after the last, first key, after
 * the last].
 */

/** @typedef {[number, number, number, number]} Rectangle */

/** Is a cell inside a rectangle? */
export function holds([first, stop, left, right], query, key) {
  return query >= first && query < stop && key >= left && key < right;
}

/** The rectangle between two cells, whichever way it was drawn. @returns {Rectangle} */
export function between([q, k], [otherQ, otherK]) {
  return [Math.min(q, otherQ), Math.max(q, otherQ) + 1, Math.min(k, otherK), Math.max(k, otherK) + 1];
}

/** What lies inside a map; null where nothing does. @returns {Rectangle|null} */
export function within([first, stop, left, right], queries, keys) {
  const cut = [Math.max(0, first), Math.min(queries, stop), Math.max(0, left), Math.min(keys, right)];
  return cut[0] < cut[1] && cut[2] < cut[3] ? cut : null;
}

/** Rectangles with one more: those that it covers are left out. @returns {Rectangle[]} */
export function add(rectangles, one) {
  const covered = ([first, stop, left, right]) => first >= one[0] && stop <= one[1] && left >= one[2] && right <= one[3];
  return [...rectangles.filter((rectangle) => !covered(rectangle)), one];
}

/** Rectangles without the one that was drawn last over a cell. @returns {Rectangle[]} */
export function remove(rectangles, query, key) {
  const at = rectangles.findLastIndex((rectangle) => holds(rectangle, query, key));
  return rectangles.filter((_, k) => k !== at);
}

/** Each token looks at itself and the n - 1 before it. @returns {Rectangle[]} */
export function lastOnly(n, queries) {
  return Array.from({ length: Math.max(0, queries - n) }, (_, k) => [k + n, k + n + 1, 0, k + 1]);
}

/** Nobody after the first token looks at it. @returns {Rectangle[]} */
export function notFirst(queries) {
  return queries > 1 ? [[1, queries, 0, 1]] : [];
}

/** Nobody looks at what comes after. @returns {Rectangle[]} */
export function notLater(queries) {
  return Array.from({ length: Math.max(0, queries - 1) }, (_, k) => [k, k + 1, k + 1, queries]);
}
