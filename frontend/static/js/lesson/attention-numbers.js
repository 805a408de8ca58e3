/** Attention of one head in numbers: products, scores, weights, sums. Matrices are flat, a row a token. */

/** A matrix (rows, columns) as it came from the server. @typedef {{values: Float32Array, rows: number, columns: number}} Matrix */

/** Row i. @param {Matrix} matrix */
export const rowOf = (matrix, i) => matrix.values.subarray(i * matrix.columns, (i + 1) * matrix.columns);

/** q (T, d) and k (S, d) -> q kᵀ (T, S). */
export function productsOf(q, k) {
  const values = new Float32Array(q.rows * k.rows);
  for (let i = 0; i < q.rows; i++) {
    for (let j = 0; j < k.rows; j++) {
      let sum = 0;
      for (let u = 0; u < q.columns; u++) sum += q.values[i * q.columns + u] * k.values[j * k.columns + u];
      values[i * k.rows + j] = sum;
    }
  }
  return { values, rows: q.rows, columns: k.rows };
}

/** Each product divided; -inf where `seen(i, j)` is false. */
export function scoresOf(products, divisor, seen) {
  const { rows, columns } = products;
  return { values: products.values.map((value, n) => (seen(Math.floor(n / columns), n % columns) ? value / divisor : -Infinity)), rows, columns };
}

/** Softmax of every row; a row that may look nowhere is zero. */
export function weightsOf(scores) {
  const values = new Float32Array(scores.values.length);
  for (let i = 0; i < scores.rows; i++) {
    const row = rowOf(scores, i);
    const most = Math.max(...row);
    if (most === -Infinity) continue;
    const raised = Array.from(row, (score) => Math.exp(score - most));
    const sum = raised.reduce((a, b) => a + b, 0);
    raised.forEach((value, j) => (values[i * scores.columns + j] = value / sum));
  }
  return { values, rows: scores.rows, columns: scores.columns };
}

/** a (T, S) and v (S, d_v) -> a v (T, d_v). */
export function sumsOf(a, v) {
  const values = new Float32Array(a.rows * v.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) {
      for (let u = 0; u < v.columns; u++) values[i * v.columns + u] += a.values[i * a.columns + j] * v.values[j * v.columns + u];
    }
  }
  return { values, rows: a.rows, columns: v.columns };
}

/** The largest absolute value that is finite, or 1. */
export const limitOf = (values) => values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0) || 1;

/** Variance of finite numbers. */
export function varianceOf(values) {
  const finite = Array.from(values).filter(Number.isFinite);
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  return finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length;
}

/** The terms of a sum by size: the first `most`, what the others come to, and how many they are. */
export function largestTerms(terms, most) {
  const order = terms.map((term, n) => ({ ...term, n })).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = order.slice(most).reduce((sum, { value }) => sum + value, 0);
  return { first: order.slice(0, most), rest, others: Math.max(0, order.length - most) };
}
