/**
 * What a head does with most of its weight, as far as its map alone tells: it looks at the token
 * before, at the token itself, at the one after, or at the first.
 */

const ENOUGH = 0.4; // of the weight, on average over the rows that can do so

/**
 * @param {Uint8Array} bytes  square roots of weights, of `rows` queries and `columns` keys
 * @param {boolean} across  keys are another text's: only "first" and "last" mean something
 * @returns {{name: "before"|"self"|"after"|"first"|"last", share: number}|null}
 */
export function habitOf(bytes, rows, columns, across = false) {
  const mean = (from, key) => {
    let sum = 0;
    let count = 0;
    for (let query = from; query < rows; query++) {
      const at = key(query);
      if (at < 0 || at >= columns) continue;
      sum += (bytes[query * columns + at] / 255) ** 2;
      count++;
    }
    return count ? sum / count : 0;
  };
  // In its first rows a causal head has little choice.
  const from = Math.min(2, rows - 1);
  const found = [
    ["first", mean(from, () => 0)],
    ["last", mean(from, () => columns - 1)],
    ...(across ? [] : [["before", mean(from, (q) => q - 1)], ["self", mean(from, (q) => q)], ["after", mean(from, (q) => q + 1)]]),
  ].sort((a, b) => b[1] - a[1]);
  const [name, share] = found[0];
  return rows > 3 && share >= ENOUGH ? { name, share } : null;
}
