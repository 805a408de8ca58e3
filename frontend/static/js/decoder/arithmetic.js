/**
 * The arithmetic of one row of attention, recomputed from the points: energies, softmax, weighted
 * sum. What comes out is held against what the network sent; nothing here is guessed.
 *
 * additive  e_ij = sum_k v_k tanh(q_ik + u_jk),  q_i = W s_{i-1} (attention.query), u_j = U h_j
 *           (attention.key)                       Bahdanau, Cho, Bengio 2015 (arXiv:1409.0473)
 * general   e_ij = sum_k q_ik h_jk
 * dot       e_ij = sum_k s_{i-1,k} h_jk           Luong, Pham, Manning 2015 (arXiv:1508.04025)
 * softmax   alpha_ij = exp(e_ij - max) / sum_j exp(e_ij - max)
 * context   c_ik = sum_j alpha_ij h_jk
 *
 * Sums are taken in double precision, the network's in single: they agree to about 1e-5 of the
 * largest term.
 */

/** @typedef {{k: number, one: number, two: number, value: number}} Term */

/** The query of a step, or null where it is no point (dot: the state before the first step). */
function queryOf({ target }, step, score) {
  if (score !== "dot") return target[step].points["attention.query"] ?? null;
  const state = target[step - 1]?.points;
  return state ? (state["decoder.0.h"] ?? null) : null;
}

/** Row j of a point with axes (source, unit). */
export function rowOf(point, j) {
  const units = point.shape[1];
  return point.data.subarray(j * units, (j + 1) * units);
}

/**
 * The terms of one energy and their sum, or null where the points are not there.
 * @param {import("./run.js").DecoderRun} run @param {string} score
 * @returns {{terms: Term[], sum: number}|null}
 */
export function energy(run, step, j, score) {
  const { sourcePoints } = run;
  const query = queryOf(run, step, score);
  const key = sourcePoints["attention.key"] ?? (score === "additive" ? null : sourcePoints.annotation);
  if (!query || !key) return null;
  const u = rowOf(key, j);
  const v = sourcePoints["attention.v"]?.data;
  const terms = Array.from(query, (q, k) => {
    if (score !== "additive") return { k, one: q, two: u[k], value: q * u[k] };
    const bent = Math.tanh(q + u[k]);
    return { k, one: v[k], two: bent, value: v[k] * bent };
  });
  return { terms, sum: total(terms) };
}

/** Energies of a row -> weights. @param {ArrayLike<number>} energies */
export function softmax(energies) {
  const largest = Math.max(...energies);
  const raised = Array.from(energies, (e) => Math.exp(e - largest));
  const sum = raised.reduce((a, b) => a + b, 0);
  return { largest, raised, sum, weights: raised.map((r) => r / sum) };
}

/** The weights that the context is the sum by: all of it on one place where only that was looked at. */
export function taken({ attention, looked }) {
  return looked === null || looked === undefined ? attention : attention.map((_, j) => (j === looked ? 1 : 0));
}

/**
 * Unit k of the context: a term for each source position, and the sum.
 * @returns {{terms: Term[], sum: number}|null} `k` of a term is the position, `one` its weight
 */
export function contextUnit(run, step, unit) {
  const annotation = run.sourcePoints.annotation;
  if (!annotation || !run.target[step].attention) return null;
  const weights = taken(run.target[step]);
  const terms = Array.from(weights, (weight, j) => {
    const h = rowOf(annotation, j)[unit];
    return { k: j, one: weight, two: h, value: weight * h };
  });
  return { terms, sum: total(terms) };
}

/** The largest terms by size, in order, and what the others sum to. */
export function largest(terms, count) {
  const sorted = [...terms].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return { first: sorted.slice(0, count), rest: total(sorted.slice(count)), others: Math.max(0, terms.length - count) };
}

/** The farthest that two rows of numbers are apart. */
export function apart(one, two) {
  let most = 0;
  for (let k = 0; k < one.length; k++) most = Math.max(most, Math.abs(one[k] - two[k]));
  return most;
}

function total(terms) {
  return terms.reduce((sum, term) => sum + term.value, 0);
}

/** The position with the greatest weight. */
export function strongestOf(attention) {
  return attention.reduce((best, weight, source) => (weight > attention[best] ? source : best), 0);
}
