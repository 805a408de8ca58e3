/** Seriation: walk from unit to the most correlated unit not yet visited. Runs in a worker. */

const SAMPLES = 384; // time steps looked at, spread evenly

addEventListener("message", ({ data }) => {
  const { ticket, values, units, length } = data;
  postMessage({ ticket, order: chain(standardised(values, units, length), units) });
});

/** Rows (unit, sample) of zero mean and unit length. */
function standardised(values, units, length) {
  const samples = Math.min(SAMPLES, length);
  const rows = Array.from({ length: units }, () => new Float32Array(samples));
  for (let s = 0; s < samples; s++) {
    const t = Math.floor((s * length) / samples);
    for (let unit = 0; unit < units; unit++) rows[unit][s] = values[t * units + unit];
  }
  for (const row of rows) {
    const mean = row.reduce((sum, value) => sum + value, 0) / samples;
    let size = 0;
    for (let s = 0; s < samples; s++) size += (row[s] -= mean) ** 2;
    size = Math.sqrt(size) || 1;
    for (let s = 0; s < samples; s++) row[s] /= size;
  }
  return rows;
}

/** Greedy from both ends: the chain grows where the next unit fits best. */
function chain(rows, units) {
  const left = new Set(rows.keys());
  left.delete(0);
  const order = [0];
  let head = nearest(rows, 0, left);
  let tail = head;
  while (left.size) {
    const atTail = tail[1] >= head[1];
    const unit = (atTail ? tail : head)[0];
    left.delete(unit);
    if (atTail) order.push(unit);
    else order.unshift(unit);
    if (!left.size) break;
    if (atTail || tail[0] === unit) tail = nearest(rows, order.at(-1), left);
    if (!atTail || head[0] === unit) head = nearest(rows, order[0], left);
  }
  return units > 1 ? order : [0];
}

function nearest(rows, unit, left) {
  let best = -1;
  let fit = -Infinity;
  for (const other of left) {
    const a = rows[unit];
    const b = rows[other];
    let product = 0;
    for (let s = 0; s < a.length; s++) product += a[s] * b[s];
    if (product > fit) [best, fit] = [other, product];
  }
  return [best, fit];
}
