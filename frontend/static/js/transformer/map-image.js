/** Bytes through a table of colours: an image, a pixel a byte. */

/**
 * @param {Uint8Array} bytes  of `height` rows and `width` columns @param {Uint32Array} table
 * @param {boolean} [lower]  only what is not above the diagonal; the rest is blank
 * @returns {HTMLCanvasElement}
 */
export function mapImage(bytes, width, height, table, lower = false) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < pixels.length; k++) pixels[k] = table[bytes[k]];
  if (lower) for (let row = 0; row < height; row++) pixels.fill(0, row * width + Math.min(width, row + 1), (row + 1) * width);
  context.putImageData(image, 0, 0);
  return canvas;
}
