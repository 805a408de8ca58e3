/** Which words of two texts differ: the longest common subsequence, word by word. */

/**
 * @param {string[]} one @param {string[]} two
 * @returns {{one: boolean[], two: boolean[]}} true where a word is not in the other text's place
 */
export function difference(one, two) {
  const N = one.length;
  const M = two.length;
  // common[i][j]: length of the longest common subsequence of one[i..] and two[j..]
  const common = Array.from({ length: N + 1 }, () => new Uint16Array(M + 1));
  for (let i = N - 1; i >= 0; i--) {
    for (let j = M - 1; j >= 0; j--) {
      common[i][j] = one[i] === two[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const changed = { one: one.map(() => true), two: two.map(() => true) };
  for (let i = 0, j = 0; i < N && j < M; ) {
    if (one[i] === two[j]) changed.one[i++] = changed.two[j++] = false;
    else if (common[i + 1][j] >= common[i][j + 1]) i++;
    else j++;
  }
  return changed;
}
