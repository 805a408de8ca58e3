/**
 * Step 12: attention sees a set. The tokens that the chosen one looks at are read in another
 * order, with and without positions, and its stream is held against what it was.
 *
 * In a causal network the chosen token and those after it stay where they are: so it may look at
 * the same tokens however those stand.
 */

import { make, t } from "../../words.js";
import { apart, digits, rowOf } from "./numbers.js";
import { Step } from "./step.js";

const SAME = 4; // digits from which two rows are the same but for rounding
const STEP = 16807; // Park and Miller 1988: a generator that needs no more than this
const MODULUS = 2147483647;

export class Order extends Step {
  build() {
    const { walk } = this;
    this.before = make("p", { class: "order-line" });
    this.after = make("p", { class: "order-line" });
    this.again = make("button", { class: "button", type: "button" }, t("Shuffle"));
    this.again.addEventListener("click", () => walk.set({ shuffle: walk.state.shuffle + 1 }));
    const row = (name, line) => make("div", { class: "order-row" }, make("span", { class: "note" }, name), line);
    this.lines = this.block("part", row(t("as typed"), this.before), row(t("shuffled"), this.after), this.again);
    this.rows = Array.from({ length: walk.layers }, (_, k) => {
      const cells = [0, 1].map(() => ({ bar: make("i", {}), words: make("span", {}) }));
      return { cells, node: make("tr", {}, make("th", { scope: "row" }, t("after layer {n}", { n: k })), ...cells.map(({ bar, words }) => make("td", {}, make("span", { class: "change" }, bar), words))) };
    });
    this.table = make("table", { class: "terms order-table" },
      make("thead", {}, make("tr", {}, make("td", {}), make("th", { scope: "col" }, t("without positions")), make("th", { scope: "col" }, t("with positions")))),
      make("tbody", {}, ...this.rows.map(({ node }) => node)));
    this.block("part", this.table);
    this.none = this.block("note", t("Choose a token with two or more before it: there is nothing to shuffle yet."));
  }

  /** The order in which tokens are read, and where the chosen one is then; null: nothing to shuffle. */
  get plan() {
    const { query, causal, T, state } = this.walk;
    const count = causal ? query : T;
    if (count < 2) return null;
    const order = [...shuffled(count, state.shuffle), ...Array.from({ length: T - count }, (_, k) => count + k)];
    return { order, at: order.indexOf(query) };
  }

  passes({ order, at }) {
    const { query } = this.walk;
    return [false, true].flatMap((positions) => [
      { time: query, edits: { heads_off: [], blocked: [], positions, order: [] } },
      { time: at, edits: { heads_off: [], blocked: [], positions, order } },
    ]);
  }

  async fetch() {
    const { walk, plan } = this;
    if (!plan) return this.draw();
    const all = this.passes(plan).map(({ time, edits }) => walk.slices([{ point: "blocks.*.residual", at: { time } }], edits));
    const found = await Promise.all(all);
    if (found.includes(null) || JSON.stringify(plan) !== JSON.stringify(this.plan)) return;
    this.found = { key: JSON.stringify(plan), of: walk.reading, streams: found.map(([slice]) => slice.data) };
    this.draw();
  }

  draw() {
    const { walk, plan, labels, found } = this;
    this.none.hidden = Boolean(plan);
    this.lines.hidden = this.table.hidden = !plan;
    if (!plan) return;
    const { query } = walk;
    const token = (k) => make("span", { class: k === query ? "tok query" : "tok" }, labels[k]);
    const shown = plan.order.slice(0, walk.seen);
    this.before.replaceChildren(...[...shown].sort((a, b) => a - b).map(token));
    this.after.replaceChildren(...shown.map(token));
    const fresh = found && found.of === walk.reading && found.key === JSON.stringify(plan);
    this.figure.classList.toggle("pending", !fresh);
    if (fresh) this.tell(found.streams);
  }

  tell([bare, bareMoved, placed, placedMoved]) {
    const { D } = this.walk;
    this.changes = [];
    this.rows.forEach(({ node, cells }, layer) => {
      [[bare, bareMoved], [placed, placedMoved]].forEach(([one, two], c) => {
        const [a, b] = [rowOf(one, layer, D), rowOf(two, layer, D)];
        const [same, change] = [digits(b, a), apart(b, a)];
        this.changes.push(change);
        cells[c].bar.style.transform = `scaleX(${Math.min(1, same >= SAME ? 0 : change)})`;
        cells[c].words.textContent = same >= SAME ? t("the same in {n} digits", { n: same }) : t("{share} apart", { share: `${Math.round(100 * change)}%` });
        cells[c].words.className = same >= SAME ? "agree" : "";
      });
      node.classList.toggle("chosen", layer === this.walk.state.layer);
    });
  }

  tables() {
    const names = this.rows.map((_, k) => t("after layer {n}", { n: k }));
    return this.changes ? [{ name: t("change"), rows: names, columns: [t("without positions"), t("with positions")], values: Float64Array.from(this.changes) }] : [];
  }
}

/** 0 to count - 1 in another order, the same for a seed; never as they stand. */
export function shuffled(count, seed) {
  const order = Array.from({ length: count }, (_, k) => k);
  let state = (Math.abs(Math.round(seed)) % (MODULUS - 1)) + 1;
  for (let warm = 0; warm < 3; warm++) state = (state * STEP) % MODULUS;
  for (let k = count - 1; k > 0; k--) {
    state = (state * STEP) % MODULUS;
    const other = state % (k + 1);
    [order[k], order[other]] = [order[other], order[k]];
  }
  if (order.every((value, k) => value === k)) order.reverse();
  return order;
}
