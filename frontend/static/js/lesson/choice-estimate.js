/**
 * A choice among a few cells, and the gradient of what it earns on average, exactly and by draws.
 *
 *     J = sum_j alpha_j R_j,   dJ/de_j = alpha_j (R_j - J)          alpha = softmax(e)
 *     one draw s:              (R_s - b) ([j = s] - alpha_j)         the same on average, for any b
 *
 * Source: Williams 1992, REINFORCE with a baseline b.
 */

/** Numbers of [0, 1) that a seed decides (mulberry32). @returns {() => number} */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export class Choice {
  /** @param {number[]} weights  of the cells, sum 1 @param {number[]} chances  of the right word at each */
  constructor(weights, chances, seed) {
    Object.assign(this, { weights, chances, seed });
    this.rewards = chances.map(Math.log); // nats
    this.mean = weights.reduce((sum, weight, j) => sum + weight * this.rewards[j], 0);
    this.exact = weights.map((weight, j) => weight * (this.rewards[j] - this.mean));
    this.again();
  }

  /** Take all draws back. */
  again() {
    this.next = dice(this.seed);
    this.drawn = []; // cells, one after the other
  }

  /** Draw so many cells more. */
  draw(count) {
    for (let n = 0; n < count; n++) {
      let left = this.next();
      const cell = this.weights.findIndex((weight) => (left -= weight) < 0);
      this.drawn.push(cell < 0 ? this.weights.length - 1 : cell);
    }
  }

  /** What one draw of cell s says of the gradient. @returns {number[]} */
  said(s, baseline) {
    return this.weights.map((weight, j) => (this.rewards[s] - baseline) * ((j === s ? 1 : 0) - weight));
  }

  /** How far the word of one draw lies from the exact gradient: the root of the mean square. */
  noise(baseline) {
    const { weights, exact } = this;
    const square = weights.reduce((sum, weight, s) => sum + weight * this.said(s, baseline).reduce((a, value, j) => a + (value - exact[j]) ** 2, 0), 0);
    return Math.sqrt(square);
  }

  /**
   * The mean of the draws so far, and its distance from the exact gradient after each.
   * @returns {{mean: number[], distances: number[]}}
   */
  estimate(baseline) {
    const { weights, exact, drawn } = this;
    const words = weights.map((_, s) => this.said(s, baseline));
    const sums = weights.map(() => 0);
    const distances = drawn.map((s, n) => {
      let square = 0;
      for (let j = 0; j < sums.length; j++) {
        sums[j] += words[s][j];
        square += (sums[j] / (n + 1) - exact[j]) ** 2;
      }
      return Math.sqrt(square);
    });
    return { mean: sums.map((sum) => sum / Math.max(1, drawn.length)), distances };
  }
}
