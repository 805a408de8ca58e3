/**
 * Positions by formula: the sinusoidal table (Vaswani et al. 2017, section 3.5) and rotary angles
 * (Su et al. 2021), as `models/positions.py` has them.
 */

/** How fast each pair of numbers turns, radians a position: base^(-2i/width). @returns {Float64Array} */
export function speeds(width, base = 10000) {
  return Float64Array.from({ length: Math.ceil(width / 2) }, (_, i) => base ** ((-2 * i) / width));
}

/** The table that is added: sines in even columns, cosines in odd. @returns {Float32Array} (count, width) */
export function sinusoidal(count, width) {
  const turn = speeds(width);
  const table = new Float32Array(count * width);
  for (let p = 0; p < count; p++) {
    for (let u = 0; u < width; u++) table[p * width + u] = (u % 2 ? Math.cos : Math.sin)(p * turn[u >> 1]);
  }
  return table;
}

/**
 * The product of a query and a key that were turned already, were they `by` positions farther
 * apart. Numbers i and i + d/2 turn together.
 * @param {ArrayLike<number>} q  (d,) @param {ArrayLike<number>} k  (d,)
 */
export function productAt(q, k, turn, by) {
  const half = turn.length;
  let sum = 0;
  for (let i = 0; i < half; i++) {
    const even = q[i] * k[i] + q[i + half] * k[i + half];
    const odd = q[i] * k[i + half] - q[i + half] * k[i];
    sum += even * Math.cos(by * turn[i]) + odd * Math.sin(by * turn[i]);
  }
  return sum;
}

/** The same for a query and a key of ones, over the number of pairs: 1 where they stand together. */
export function onesAt(turn, distance) {
  let sum = 0;
  for (const speed of turn) sum += Math.cos(distance * speed);
  return sum / turn.length;
}
