/** What is measured on the numbers that a network gave: sizes, likeness, how far two differ. */

const LEAST = 1e-38; // a probability that fell below what a float holds

/** The size |x| of each row. @param {Float32Array} rows  (n, width) @returns {Float32Array} n */
export function sizes(rows, width) {
  const found = new Float32Array(rows.length / width);
  for (let n = 0; n < found.length; n++) {
    let sum = 0;
    for (let k = n * width; k < (n + 1) * width; k++) sum += rows[k] * rows[k];
    found[n] = Math.sqrt(sum);
  }
  return found;
}

/**
 * How alike rows are, each with each: the cosine of the angle between them, or their product.
 * @param {Float32Array} rows  (n, width) @param {"cosine"|"product"} by @returns {Float32Array} n * n
 */
export function likeness(rows, width, by = "cosine") {
  const size = sizes(rows, width);
  const n = size.length;
  const found = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += rows[i * width + k] * rows[j * width + k];
      const scale = by === "cosine" ? size[i] * size[j] || 1 : 1;
      found[i * n + j] = found[j * n + i] = sum / scale;
    }
  }
  return found;
}

/**
 * KL(p || q) in nats: what it costs to expect q where p is true. 0: they are the same.
 * @param {ArrayLike<number>} p @param {ArrayLike<number>} q  of the same tokens
 */
export function divergence(p, q) {
  let sum = 0;
  for (let k = 0; k < p.length; k++) if (p[k] > 0) sum += p[k] * Math.log(p[k] / Math.max(q[k], LEAST));
  return Math.max(0, sum);
}

/**
 * How far the outputs of tokens are from what they were, each token beside itself wherever it
 * stands now: the mean of |after - before| / |before|.
 * @param {Float32Array} before  (T, width) @param {Float32Array} after  (T, width)
 * @param {number[]} order  place k of `after` holds the token that stood at order[k]; []: as it was
 */
export function moved(before, after, width, order = []) {
  const T = before.length / width;
  let total = 0;
  for (let k = 0; k < T; k++) {
    const from = order.length ? order[k] : k;
    let gap = 0;
    let size = 0;
    for (let u = 0; u < width; u++) {
      const was = before[from * width + u];
      gap += (after[k * width + u] - was) ** 2;
      size += was * was;
    }
    total += Math.sqrt(gap / (size || 1));
  }
  return total / (T || 1);
}

/** The k largest of some values: their places, the largest first. */
export function largest(values, k) {
  const places = [];
  for (let n = 0; n < values.length; n++) {
    if (places.length === k && values[n] <= values[places[k - 1]]) continue;
    let at = places.length;
    while (at > 0 && values[n] > values[places[at - 1]]) at--;
    places.splice(at, 0, n);
    if (places.length > k) places.pop();
  }
  return places;
}
