/**
 * The arithmetic of attention, done again here from the network's vectors, in double precision.
 *
 *     s_ij = q_i . k_j,  a_ij = softmax over j of s_ij / sqrt(d),  z_i = sum_j a_ij v_j
 *
 * Vaswani et al. 2017 (arXiv:1706.03762), section 3.2. The network's own numbers are float32.
 */

const SINGLE = 7; // digits that a float32 holds

/** Row `k` of numbers in C order. @param {ArrayLike<number>} values @param {number} width */
export function rowOf(values, k, width) {
  return values.subarray(k * width, (k + 1) * width);
}

/** The numbers that are added up in q . k. */
export function products(q, k) {
  return Float64Array.from(q, (value, u) => value * k[u]);
}

export function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Sums so far. */
export function running(values) {
  let total = 0;
  return Float64Array.from(values, (value) => (total += value));
}

/** All q_i . k_j: (T, d), (T, d) -> (T, T). */
export function scores(q, k, d) {
  const [T, S] = [q.length / d, k.length / d];
  const found = new Float64Array(T * S);
  for (let i = 0; i < T; i++) {
    for (let j = 0; j < S; j++) {
      let total = 0;
      for (let u = 0; u < d; u++) total += q[i * d + u] * k[j * d + u];
      found[i * S + j] = total;
    }
  }
  return found;
}

/**
 * Weights of a row, and what they are made of; keys from `seen` on may not be looked at.
 * @returns {{largest: number, raised: Float64Array, total: number, weights: Float64Array}}
 */
export function softmax(row, seen = row.length) {
  let largest = -Infinity;
  for (let j = 0; j < seen; j++) largest = Math.max(largest, row[j]);
  const raised = Float64Array.from(row, (value, j) => (j < seen ? Math.exp(value - largest) : 0));
  const total = sum(raised);
  return { largest, raised, total, weights: raised.map((value) => value / total) };
}

/** Bits: 0 where all the weight is on one, log2(n) where n have the same. */
export function entropy(weights) {
  return Math.max(0, -sum(Array.from(weights, (w) => (w > 0 ? w * Math.log2(w) : 0))));
}

/** a_j v_j of every token: (S,), (S, d) -> (S, d). */
export function contributions(weights, v, d) {
  return Float64Array.from(v, (value, at) => weights[Math.floor(at / d)] * value);
}

/** The sum of rows: (S, d) -> (d,). */
export function columnSums(rows, d) {
  const found = new Float64Array(d);
  rows.forEach((value, at) => (found[at % d] += value));
  return found;
}

/** (T, S) times (S, d). */
export function product(a, v, T, d) {
  const S = v.length / d;
  const found = new Float64Array(T * d);
  for (let i = 0; i < T; i++) {
    for (let j = 0; j < S; j++) {
      const weight = a[i * S + j];
      if (weight) for (let u = 0; u < d; u++) found[i * d + u] += weight * v[j * d + u];
    }
  }
  return found;
}

export function plus(one, two) {
  return Float64Array.from(one, (value, u) => value + two[u]);
}

export function minus(one, two) {
  return Float64Array.from(one, (value, u) => value - two[u]);
}

/** The root of the mean square. */
export function rms(values) {
  return Math.sqrt(sum(Array.from(values, (value) => value * value)) / values.length);
}

export function moments(values) {
  const mean = sum(values) / values.length;
  return { mean, variance: sum(Array.from(values, (value) => (value - mean) ** 2)) / values.length };
}

/** A row before its norm's learned gain and shift. @param {"layer"|"rms"} kind */
export function normed(values, kind, eps) {
  const { mean, variance } = moments(values);
  if (kind === "rms") return Float64Array.from(values, (value) => value / Math.sqrt(rms(values) ** 2 + eps));
  return Float64Array.from(values, (value) => (value - mean) / Math.sqrt(variance + eps));
}

/**
 * A norm's gain and shift are the same for every token, so all rows together tell them: of each
 * unit the line through (before, after). Returns what that line says, to hold against `after`;
 * null where two tokens are too few to tell.
 */
export function refitted(before, after, D, kind) {
  const T = before.length / D;
  if (T < (kind === "rms" ? 2 : 3)) return null;
  const found = new Float64Array(before.length);
  for (let u = 0; u < D; u++) {
    let [mx, my] = [0, 0];
    if (kind !== "rms") for (let t = 0; t < T; t++) [mx, my] = [mx + before[t * D + u] / T, my + after[t * D + u] / T];
    let [up, down] = [0, 0];
    for (let t = 0; t < T; t++) {
      const x = before[t * D + u] - mx;
      up += x * (after[t * D + u] - my);
      down += x * x;
    }
    const gain = down ? up / down : 0;
    for (let t = 0; t < T; t++) found[t * D + u] = my + gain * (before[t * D + u] - mx);
  }
  return found;
}

/**
 * Take the turning of rotary positions back: numbers i and i + d/2 turn together, by the position
 * times base^(-2i/d) (Su et al. 2021, arXiv:2104.09864).
 */
export function turnedBack(values, position, base) {
  const half = values.length / 2;
  const found = new Float64Array(values.length);
  for (let i = 0; i < half; i++) {
    const angle = position * base ** (-i / half);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    found[i] = values[i] * cos + values[i + half] * sin;
    found[i + half] = values[i + half] * cos - values[i] * sin;
  }
  return found;
}

/** How far two rows of numbers are apart, as a share of the larger one's size. */
export function apart(one, two) {
  let [most, size] = [0, 0];
  for (let k = 0; k < one.length; k++) {
    if (one[k] === two[k]) continue; // both may be -infinity
    most = Math.max(most, Math.abs(one[k] - two[k]));
  }
  for (const value of two) if (Number.isFinite(value)) size = Math.max(size, Math.abs(value));
  return most === 0 ? 0 : most / (size || 1);
}

/** Decimal digits in which two rows of numbers agree, of their largest. */
export function digits(one, two) {
  const gap = apart(one, two);
  return gap === 0 ? SINGLE : Math.max(0, Math.min(SINGLE, Math.floor(-Math.log10(gap))));
}

/** The place of the largest; of the largest by size where `size`. */
export function largestOf(values, size = false) {
  let best = 0;
  for (let k = 1; k < values.length; k++) {
    if (size ? Math.abs(values[k]) > Math.abs(values[best]) : values[k] > values[best]) best = k;
  }
  return best;
}

/**
 * Symmetric limits that a few very large numbers do not spoil: where the largest is far beyond
 * the others, the limit is not its own, and what lies beyond is cut.
 * @returns {{limit: number, largest: number}}
 */
export function limitOf(...rows) {
  const sizes = rows.flatMap((row) => Array.from(row, Math.abs)).filter(Number.isFinite).sort((a, b) => a - b);
  const largest = sizes.at(-1) ?? 0;
  const usual = 1.5 * (sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 0);
  return { limit: (usual && largest > 1.6 * usual ? usual : largest) || 1, largest };
}

/** From the least to the largest, with 0 in it. @returns {[number, number]} */
export function spanOf(values) {
  return [Math.min(0, ...values), Math.max(0, ...values)];
}
