/**
 * The arithmetic of one row of one head, done again from its queries, keys and values.
 *
 * e_ij = sum_u q_iu k_ju / sqrt(d), -inf where the mask forbids it; alpha_ij = exp(e_ij - max) /
 * sum_j exp(e_ij - max); z_iu = sum_j alpha_ij v_ju (Vaswani et al. 2017, arXiv:1706.03762,
 * section 3.2.1). Sums are taken in double precision, the network's in single.
 */

/**
 * @typedef {object} Look  of a query i; d units, S keys
 * @property {Float32Array} q  (d) @property {Float32Array} k  (S, d) @property {Float32Array} v  (S, d)
 * @property {number} units  d @property {number} keys  S
 * @property {Float64Array} dots  (S) q_i . k_j @property {Float64Array} scores  (S), -Infinity: masked
 * @property {number} largest  score @property {Float64Array} raised  (S) exp(e - largest)
 * @property {number} sum  of them @property {Float64Array} weights  (S) @property {Float64Array} z  (d)
 */

/**
 * @param {Float32Array} q @param {Float32Array} k @param {Float32Array} v
 * @param {(key: number) => boolean} allowed
 * @returns {Look}
 */
export function lookOf(q, k, v, allowed) {
  const units = q.length;
  const keys = k.length / units;
  const root = Math.sqrt(units);
  const dots = Float64Array.from({ length: keys }, (_, j) => dot(q, k, j * units, units));
  const scores = dots.map((value, j) => (allowed(j) ? value / root : -Infinity));
  const largest = scores.reduce((most, value) => Math.max(most, value), -Infinity);
  const raised = scores.map((value) => (value === -Infinity ? 0 : Math.exp(value - largest)));
  const sum = raised.reduce((total, value) => total + value, 0);
  const weights = raised.map((value) => (sum ? value / sum : 0));
  const z = new Float64Array(units);
  weights.forEach((weight, j) => {
    if (weight) for (let u = 0; u < units; u++) z[u] += weight * v[j * units + u];
  });
  return { q, k, v, units, keys, dots, scores, largest, raised, sum, weights, z };
}

function dot(q, k, from, units) {
  let sum = 0;
  for (let u = 0; u < units; u++) sum += q[u] * k[from + u];
  return sum;
}

/** Row j of keys or values. */
export function rowAt(matrix, j, units) {
  return matrix.subarray(j * units, (j + 1) * units);
}

/** q_i and k_j, number by number. @param {Look} look */
export function products({ q, k, units }, j) {
  return Float64Array.from(q, (value, u) => value * k[j * units + u]);
}

/** What key j gives: alpha_ij v_j. @param {Look} look */
export function given({ v, weights, units }, j) {
  return Float64Array.from(rowAt(v, j, units), (value) => weights[j] * value);
}

/** The places of the largest numbers, the largest first; `also` is one of them. */
export function foremost(numbers, count, also) {
  const order = Array.from(numbers, (_, k) => k).sort((a, b) => numbers[b] - numbers[a]);
  const first = order.slice(0, count).filter((k) => numbers[k] > 0);
  if (also >= 0 && !first.includes(also)) first.splice(Math.min(first.length, count - 1), 1, also);
  return first;
}

/** The farthest that finite numbers of two rows are apart; Infinity where one alone is infinite. */
export function gap(own, told) {
  let most = 0;
  for (let k = 0; k < own.length; k++) if (own[k] !== told[k]) most = Math.max(most, Math.abs(own[k] - told[k]));
  return most;
}
