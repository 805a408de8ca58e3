/** A drawn scene in the light of a grid of weights, with frames around things; and how much lies on each. */

import { paintLight } from "../caption/light.js";

export const SIDE = 224; // pixels of a scene, in which boxes are told
const QUARTER = 0.25; // of a cell that a box has to cover for the cell to count as the thing's

/**
 * The cells of a thing: those that its box covers a quarter of at least, as in the measured figures.
 * @param {number[]} box  left, top, right, bottom @returns {number[]}
 */
export function cellsOf([left, top, right, bottom], rows, columns) {
  const [high, wide] = [SIDE / rows, SIDE / columns];
  return Array.from({ length: rows * columns }, (_, k) => k).filter((k) => {
    const [x, y] = [(k % columns) * wide, Math.floor(k / columns) * high];
    const across = Math.max(0, Math.min(right, x + wide) - Math.max(left, x));
    const down = Math.max(0, Math.min(bottom, y + high) - Math.max(top, y));
    return across * down >= QUARTER * high * wide;
  });
}

/** The sum of some weights over the cells of a thing. */
export function massOn(weights, box, rows, columns) {
  return cellsOf(box, rows, columns).reduce((sum, k) => sum + weights[k], 0);
}

/** How much of a weight of 1 has gone elsewhere: half the sum of the differences. */
export function movedBetween(one, two) {
  return one.reduce((sum, weight, k) => sum + Math.abs(weight - two[k]), 0) / 2;
}

/**
 * Draw it. @param {HTMLCanvasElement} canvas @param {import("../caption/picture.js").Picture} picture
 * @param {{weights: ArrayLike<number>, rows: number, columns: number, limit: number}|null} light
 * @param {number[][]} boxes  that get a frame
 */
export function drawScene(canvas, picture, light, boxes) {
  const side = 2 * SIDE;
  Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d");
  paintLight(context, picture, light, { raw: true });
  context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
  for (const [left, top, right, bottom] of boxes) {
    for (const [style, width] of [["rgba(0, 0, 0, 0.75)", 3.5], ["#fff", 1.75]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: width });
      context.strokeRect(left, top, right - left, bottom - top);
    }
  }
}
