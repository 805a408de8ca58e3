/** Orders of a map's units: by index, by variance over time, or so that similar units lie together. */

/** Units from the most to the least varying. @param {import("./trace-store.js").PointColumns} point */
export function byVariance(point, length) {
  const { data, units } = point;
  const sums = new Float64Array(units);
  const squares = new Float64Array(units);
  for (let t = 0; t < length; t++) {
    for (let unit = 0; unit < units; unit++) {
      const value = data[t * units + unit];
      sums[unit] += value;
      squares[unit] += value * value;
    }
  }
  const variance = squares.map((square, unit) => square / length - (sums[unit] / length) ** 2);
  return Array.from(variance.keys()).sort((a, b) => variance[b] - variance[a]);
}

let worker = null;
let ticket = 0;
const waiting = new Map();

/**
 * A chain through the units in which neighbours correlate: computed beside the page.
 * @returns {Promise<number[]>}
 */
export function bySimilarity(point, length) {
  if (!worker) {
    worker = new Worker(new URL("./order-worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      waiting.get(data.ticket)?.(data.order);
      waiting.delete(data.ticket);
    });
  }
  return new Promise((resolve) => {
    waiting.set(++ticket, resolve);
    const values = point.data.slice(0, length * point.units);
    worker.postMessage({ ticket, values, units: point.units, length }, [values.buffer]);
  });
}
