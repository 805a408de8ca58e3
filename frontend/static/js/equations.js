/**
 * The arithmetic behind one unit at one step. Which equations hold is read from the points that a
 * layer has: with a cell state they are an LSTM's, with z a GRU's, with a a plain cell's.
 *
 * LSTM: c_t = f c_{t-1} + i g, h_t = o tanh(c_t). GRU in torch.nn's form: h_t = (1-z) n + z h_{t-1}.
 */

/**
 * @typedef {object} Term  a number in an equation
 * @property {string} letter  whose hue it has
 * @property {string} symbol  how it is written, without its index
 * @property {string} [index] "t" or "t−1"
 * @property {string} [wrap]  e.g. "1 − #" or "tanh #", around the symbol
 * @property {number} value
 */
/** @typedef {{parts: (Term|string)[], sums?: {from: number, to: number, key: string, value: number}[]}} Equation */

/**
 * @param {Record<string, import("./trace-store.js").PointColumns>} points of one layer, by letter
 * @returns {Equation[]}
 */
export function equations(points, t, unit) {
  const now = (letter) => points[letter].at(t, unit);
  const before = (letter) => (t > 0 ? points[letter].at(t - 1, unit) : 0);
  const term = (letter, extra = {}) => ({ letter, symbol: letter, index: "t", value: now(letter), ...extra });
  const past = (letter) => ({ letter, symbol: letter, index: "t−1", value: before(letter) });
  if (points.c) {
    const c = now("c");
    return [
      {
        parts: [term("c"), "=", term("f"), "·", past("c"), "+", term("i"), "·", term("g")],
        sums: [
          { from: 2, to: 4, key: "kept", value: now("f") * before("c") },
          { from: 6, to: 8, key: "written", value: now("i") * now("g") },
        ],
      },
      { parts: [term("h"), "=", term("o"), "·", term("c", { wrap: "tanh #", value: Math.tanh(c) })] },
    ];
  }
  if (points.z) {
    const z = now("z");
    return [
      {
        parts: [term("h"), "=", term("z", { wrap: "(1 − #)", value: 1 - z }), "·", term("n"), "+", term("z"), "·", past("h")],
        sums: [
          { from: 2, to: 4, key: "written", value: (1 - z) * now("n") },
          { from: 6, to: 8, key: "kept", value: z * before("h") },
        ],
      },
      { parts: [term("r")] },
    ];
  }
  if (points.a) {
    const a = term("a");
    const wrap = points.h.range === "signed" ? "tanh(#)" : "max(0, #)";
    return [
      { parts: [term("h", {}), "=", { ...a, wrap }] },
      {
        parts: [{ ...a }, "=", { letter: "x", symbol: "W x", index: "t" }, "+", { letter: "h", symbol: "U h", index: "t−1" }, "+", { letter: "x", symbol: "b", index: "" }],
      },
    ];
  }
  return [{ parts: [term("h")] }];
}
