/** A slice as the server sent it, decoded: its numbers, or its bytes and what they stand for. */

import { bytesOf, decode, shapeOf } from "../arrays.js";

/**
 * @typedef {object} Sliced
 * @property {string} point @property {string[]} axes @property {number[]} shape
 * @property {"real"|"unit"|"signed"|"probability"} range
 * @property {"linear"|"sqrt"} scale @property {number} low @property {number} high  of bytes
 * @property {number} pooled  tokens a cell, at least 1
 * @property {Float32Array|Uint8Array} data  in C order; bytes where it was asked for as u1
 * @property {string[]|null} tokens @property {number[]|null} ids  of the k largest, in C order
 */

/** @returns {Sliced} */
export function sliced({ data, top_tokens: tokens, top_ids: ids, pooled, ...about }) {
  return {
    ...about,
    shape: shapeOf(data),
    pooled: Math.max(1, pooled || 1),
    data: data.dtype === "u1" ? bytesOf(data.bdata) : decode(data),
    tokens: tokens ? tokens.flat(Infinity) : null,
    ids: ids ? Array.from(ids.bdata ? decode(ids) : ids.flat(Infinity)) : null,
  };
}

/** The value that a byte stands for. @param {Sliced} slice */
export function valueOf({ scale, low, high }, byte) {
  const share = byte / 255;
  return scale === "sqrt" ? share * share : low + share * (high - low);
}
