/**
 * Cells of the encoder's grid, counted row by row, and rectangles of them. A cell is named as in a
 * table: a letter for its column, a number for its row; A1 is the upper left one.
 */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** @param {number} cell @param {number} columns */
export function cellName(cell, columns) {
  return `${LETTERS[cell % columns]}${Math.floor(cell / columns) + 1}`;
}

/**
 * A rectangle of cells from one corner to the opposite one, both in it.
 * @returns {{top: number, left: number, bottom: number, right: number, cells: number[]}}
 */
export function rectangle(from, to, columns) {
  const [one, two] = [from, to].map((cell) => [Math.floor(cell / columns), cell % columns]);
  const [top, bottom] = [Math.min(one[0], two[0]), Math.max(one[0], two[0])];
  const [left, right] = [Math.min(one[1], two[1]), Math.max(one[1], two[1])];
  const cells = [];
  for (let row = top; row <= bottom; row++) for (let column = left; column <= right; column++) cells.push(row * columns + column);
  return { top, left, bottom, right, cells };
}

/** The name of a rectangle: C3, or C3–E5. */
export function rectangleName({ cells }, columns) {
  const [first, last] = [cells[0], cells.at(-1)].map((cell) => cellName(cell, columns));
  return first === last ? first : `${first}–${last}`;
}

/** How much of the attention of a word lies in some cells. @param {ArrayLike<number>} attention */
export function massIn(attention, cells) {
  return cells.reduce((sum, cell) => sum + (attention[cell] ?? 0), 0);
}

/** All words together: the sum of their attention, a number a cell. @returns {Float32Array|null} */
export function coverageOf(tokens) {
  const looking = tokens.filter(({ attention }) => attention);
  if (!looking.length) return null;
  const sums = new Float32Array(looking[0].attention.length);
  for (const token of looking) takenBy(token).forEach((weight, cell) => (sums[cell] += weight));
  return sums;
}

/** Where a word really looked: on one cell alone where the network draws it. */
export function takenBy({ attention, looked }) {
  if (looked === null || looked === undefined) return attention;
  return attention.map((_, cell) => (cell === looked ? 1 : 0));
}

/**
 * Over how many cells something is spread: the exponential of its entropy. 1: all on one; as many
 * as there are: evenly over all.
 */
export function spreadOf(values) {
  const total = values.reduce((sum, value) => sum + value, 0);
  let entropy = 0;
  for (const value of values) if (value > 0) entropy -= (value / total) * Math.log(value / total);
  return Math.exp(entropy);
}
