/** Orders in which tokens are read: permutations of 0 .. n-1. */

/**
 * A shuffle that a seed gives again (Fisher and Yates, with the generator mulberry32). Two tokens
 * or more never come out as they were.
 * @returns {number[]}
 */
export function shuffled(n, seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  const order = Array.from({ length: n }, (_, k) => k);
  for (let k = n - 1; k > 0; k--) {
    const other = Math.floor(next() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  if (n > 1 && order.every((from, k) => from === k)) [order[0], order[1]] = [order[1], order[0]];
  return order;
}

/** The other way round. @returns {number[]} */
export function reversed(n) {
  return Array.from({ length: n }, (_, k) => n - 1 - k);
}
