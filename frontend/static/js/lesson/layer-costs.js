/** What the three layers cost, by formula: multiply-adds, steps that wait, and the path between two places. */

export const KINDS = ["recurrent", "convolution", "attention"];
export const KERNEL = 3; // places that the convolution looks at

/** As in the table of Vaswani et al. 2017: without constants, without maps around attention. */
export function bare(kind, n, d) {
  return { recurrent: n * d * d, convolution: KERNEL * n * d * d, attention: n * n * d }[kind];
}

/** All multiply-adds of products of matrices: an LSTM, a convolution, attention with its four maps. */
export function multiplyAdds(kind, n, d) {
  return { recurrent: 8 * n * d * d, convolution: KERNEL * n * d * d, attention: 4 * n * d * d + 2 * n * n * d }[kind];
}

/** Places back that a layer of the convolution looks, for each of its three places. */
export function spacing(layer, dilated) {
  return dilated ? KERNEL ** layer : 1;
}

/** Layers (or steps) between what is read at a place and what is made `distance` places after it. */
export function pathLength(kind, distance, dilated) {
  if (kind === "recurrent") return distance + 1;
  if (kind === "attention") return 1;
  let seen = 1;
  let layers = 0;
  do seen += (KERNEL - 1) * spacing(layers++, dilated);
  while (seen <= distance);
  return layers;
}

/** Steps that have to wait for each other until all of n places can hear of all before them. */
export function steps(kind, n, dilated) {
  return pathLength(kind, n - 1, dilated);
}

/**
 * The places that a path goes through, one for what is read and one for each layer or step.
 * @returns {number[]} from `from` to `to`
 */
export function way(kind, from, to, dilated) {
  if (kind === "attention") return [from, to];
  if (kind === "recurrent") return [from, ...Array.from({ length: to - from + 1 }, (_, k) => from + k)];
  const found = [];
  let at = to;
  for (let layer = pathLength(kind, to - from, dilated) - 1; layer >= 0; layer--) {
    found.unshift(at);
    const size = spacing(layer, dilated);
    at -= Math.min(KERNEL - 1, Math.floor((at - from) / size)) * size;
  }
  return [at, ...found];
}
