/** Bytes through a table of colours: an image, a pixel a byte. */

/**
 * @param {Uint8Array} bytes  of `height` rows and `width` columns @param {Uint32Array} table
 * @returns {HTMLCanvasElement}
 */
export function mapImage(bytes, width, height, table) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < pixels.length; k++) pixels[k] = table[bytes[k]];
  context.putImageData(image, 0, 0);
  return canvas;
}
