/**
 * Arrays from the wire: `{dtype, shape, bdata}`, little-endian, C order.
 * Floats are decoded straight into the place where they will stay.
 */

/** @typedef {{dtype: "f4"|"u1", shape: string, bdata: string}} WireArray */

const FROM_BASE64 = typeof Uint8Array.fromBase64 === "function";
const DIRECT = typeof Uint8Array.prototype.setFromBase64 === "function";

/** Sizes of the axes. @param {WireArray} array */
export function shapeOf(array) {
  return array.shape === "" ? [] : array.shape.split(",").map(Number);
}

/**
 * Write the numbers of `array` into `target` from `offset` on. Returns how many were written.
 * @param {WireArray} array @param {Float32Array} target @param {number} offset
 */
export function decodeInto(array, target, offset) {
  const size = shapeOf(array).reduce((product, n) => product * n, 1);
  if (array.dtype === "u1") {
    target.set(bytesOf(array.bdata), offset);
  } else if (DIRECT) {
    const place = new Uint8Array(target.buffer, target.byteOffset + 4 * offset, 4 * size);
    place.setFromBase64(array.bdata);
  } else {
    target.set(new Float32Array(bytesOf(array.bdata).buffer), offset);
  }
  return size;
}

/** All numbers of an array. @param {WireArray} array */
export function decode(array) {
  const numbers = new Float32Array(shapeOf(array).reduce((product, n) => product * n, 1));
  decodeInto(array, numbers, 0);
  return numbers;
}

/** The bytes of a base64 text. @returns {Uint8Array} */
export function bytesOf(base64) {
  if (FROM_BASE64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}
