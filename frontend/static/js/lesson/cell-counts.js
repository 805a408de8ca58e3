/** How many parameters a character model of one layer or more has, as the sums they are. */

// Blocks of hidden_size rows: of the input's matrix, of the state's, and of all biases together.
const BLOCKS = {
  rnn_tanh: [1, 1, 2], rnn_relu: [1, 1, 2], lstm: [4, 4, 8], gru: [3, 3, 6],
  mut1: [2, 2, 3], mut2: [2, 3, 3], mut3: [3, 3, 3],
};

/**
 * @param {{cell: string, vocab_size: number, hidden_size: number, num_layers: number, embedding_size: number}} config
 * @returns {{name: string, sum: string, count: number}[]}
 */
export function addends({ cell, vocab_size: V, hidden_size: H, num_layers: layers, embedding_size: E }) {
  const [ofX, ofH, biases] = BLOCKS[cell];
  const rows = [];
  const add = (name, ...factors) => rows.push({ name, sum: factors.join(" · "), count: factors.reduce((product, n) => product * n, 1) });
  if (E) add("embedding", V, E);
  for (let layer = 0; layer < layers; layer++) {
    add(`weight_ih_l${layer}`, ofX, H, layer ? H : E || V);
    add(`weight_hh_l${layer}`, ofH, H, H);
    add(biases === 3 ? `bias_ih_l${layer}` : `bias_ih_l${layer}, bias_hh_l${layer}`, biases, H);
  }
  add("output.weight", V, H);
  add("output.bias", V);
  return rows;
}
