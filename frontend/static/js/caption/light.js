/**
 * Attention over a picture as light: the picture is as bright as it is where the weight is the
 * largest, and sinks into the shade as the weight falls to 0. Smooth light passes through the
 * weight of every cell at the middle of the cell; raw light has one brightness a cell.
 *
 *   pixel = picture * (1 - s) + SHADE * s,   s = DEPTH * (1 - weight / limit)
 */

export const SHADE = [19, 9, 46]; // a violet of the colour of attention, nearly black
export const DEPTH = 0.74; // of the shade where nobody looks
const SIDE = 224; // px of a smooth mask, as many as the encoder sees

/** Catmull and Rom 1974: the weights of four neighbours at t of 0..1 between the middle two. */
function spline(t) {
  const [t2, t3] = [t * t, t * t * t];
  return [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1, -1.5 * t3 + 2 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2];
}

/** For each of `size` pixels across `cells` cells: the four cells it lies between, and their weights. */
function taps(size, cells) {
  return Array.from({ length: size }, (_, pixel) => {
    const place = ((pixel + 0.5) / size) * cells - 0.5;
    const left = Math.floor(place);
    const at = [-1, 0, 1, 2].map((k) => Math.max(0, Math.min(cells - 1, left + k)));
    return { at, by: spline(place - left) };
  });
}

const known = new Map();
function tapsOf(size, cells) {
  const key = `${size} ${cells}`;
  if (!known.has(key)) known.set(key, taps(size, cells));
  return known.get(key);
}

/**
 * A grid of weights, drawn out to width x height numbers between 0 and the largest of them.
 * @param {ArrayLike<number>} weights  row by row @returns {Float32Array}  row by row
 */
export function smooth(weights, rows, columns, width, height) {
  const most = weights.reduce((a, b) => Math.max(a, b), 0);
  const across = new Float32Array(rows * width);
  tapsOf(width, columns).forEach(({ at, by }, x) => {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += by[k] * weights[row * columns + at[k]];
      across[row * width + x] = sum;
    }
  });
  const found = new Float32Array(width * height);
  tapsOf(height, rows).forEach(({ at, by }, y) => {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += by[k] * across[at[k] * width + x];
      found[y * width + x] = Math.max(0, Math.min(most, sum)); // the spline overshoots beside a peak
    }
  });
  return found;
}

/** The shade of some weights as an image: its alpha is s. */
function maskOf(values, width, height, limit) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let k = 0; k < values.length; k++) {
    const share = limit > 0 ? Math.min(1, values[k] / limit) : 0;
    image.data.set(SHADE, 4 * k);
    image.data[4 * k + 3] = Math.round(255 * DEPTH * (1 - share));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Draw a picture in the light of some weights, at the size of the context in device pixels.
 * @param {CanvasRenderingContext2D} context
 * @param {{canvas: HTMLCanvasElement}} picture
 * @param {{weights: ArrayLike<number>, rows: number, columns: number, limit: number}|null} light
 *   null: the picture alone. `limit`: the weight that shows the picture as it is
 * @param {{raw?: boolean, side?: number}} how
 */
export function paintLight(context, picture, light, { raw = false, side = SIDE } = {}) {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture.canvas, 0, 0, width, height);
  if (!light) return;
  const { weights, rows, columns, limit } = light;
  const mask = raw ? maskOf(weights, columns, rows, limit) : maskOf(smooth(weights, rows, columns, side, side), side, side, limit);
  context.imageSmoothingEnabled = !raw;
  context.drawImage(mask, 0, 0, width, height);
  context.imageSmoothingEnabled = true;
}
