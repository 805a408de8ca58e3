/** What temperature and top-k make of a distribution: the arithmetic of the server's own draw. */

/**
 * softmax(z / T) of the k likeliest. From probabilities p it is p^(1/T), divided by its sum: the
 * logits differ from log p by a constant, which falls out.
 * @param {ArrayLike<number>} shares  the likeliest first @param {number} k  0: all
 * @returns {Float64Array}
 */
export function reshape(shares, temperature, k) {
  const kept = k > 0 ? Math.min(k, shares.length) : shares.length;
  const weights = Float64Array.from(shares, (share, place) => (place < kept ? Math.exp(Math.log(share / shares[0]) / temperature) : 0));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Shannon's entropy in bits. */
export function entropy(shares) {
  let bits = 0;
  for (const share of shares) if (share > 0) bits -= share * Math.log2(share);
  return bits;
}
