/**
 * The tree of a beam search in layers, a layer a search step. Within a layer nodes stand in the
 * order of their parents, so no two edges cross; each near to its parent, as its neighbours let
 * it. A layer never moves once it stands: only later ones come.
 */

import { percent } from "../words.js";

const ROW = 21; // px from node to node
const LETTER = 7.2; // of the monospace type at 12 px
const SMALL = 6.1; // of the probability's type
const HOME = 0.8; // how far a layer keeps of its parents' distance from the middle: the tree stays low
const TAIL = 66; // px of a column besides its longest token: probability, edge

/** @typedef {import("./run.js").BeamNode} BeamNode */
/** @typedef {{node: BeamNode, parent: Placed|null, layer: number, y: number, share: number, label: string}} Placed */

/**
 * Heights with at least ROW between them, in order, nearest to what is wanted (least squares): runs
 * of nodes that would overlap move as one (pool adjacent violators).
 * @param {number[]} wanted @returns {number[]}
 */
export function spread(wanted) {
  const runs = [];
  wanted.forEach((height, k) => {
    runs.push({ sum: height - k * ROW, count: 1 });
    while (runs.length > 1) {
      const [before, last] = runs.slice(-2);
      if (before.sum / before.count < last.sum / last.count) break;
      runs.pop();
      before.sum += last.sum;
      before.count += last.count;
    }
  });
  const heights = [];
  for (const { sum, count } of runs) for (let k = 0; k < count; k++) heights.push(sum / count + heights.length * ROW);
  return heights;
}

/** How far a node's dot and words reach. */
export function endOf({ label, share }) {
  return 18 + LETTER * Array.from(label).length + SMALL * percent(share).length;
}

export class TreeLayout {
  constructor() {
    /** @type {Placed[][]} */ this.layers = [];
    /** @type {Map<number, Placed>} */ this.placed = new Map();
    this.widths = [];
    this.top = this.foot = 0;
  }

  /**
   * Place one more layer.
   * @param {BeamNode[]} nodes of one search step, parents already placed
   * @param {(node: BeamNode) => string} labelOf
   */
  add(nodes, labelOf) {
    const layer = this.layers.length;
    const siblings = new Map();
    for (const node of nodes) {
      if (!siblings.has(node.parent)) siblings.set(node.parent, []);
      siblings.get(node.parent).push(node);
    }
    const parents = [...siblings.keys()].sort((a, b) => (this.placed.get(a)?.y ?? 0) - (this.placed.get(b)?.y ?? 0));
    const row = parents.flatMap((id) => {
      const parent = this.placed.get(id) ?? null;
      const children = siblings.get(id).sort((a, b) => b.log_probability - a.log_probability);
      return children.map((node, k) => ({
        node,
        parent,
        layer,
        y: HOME * (parent?.y ?? 0) + (k - (children.length - 1) / 2) * ROW,
        share: Math.exp(node.log_probability - (parent?.node.log_probability ?? 0)),
        label: labelOf(node),
      }));
    });
    spread(row.map(({ y }) => y)).forEach((y, k) => {
      row[k].y = y;
      this.top = Math.min(this.top, y);
      this.foot = Math.max(this.foot, y);
    });
    for (const one of row) this.placed.set(one.node.id, one);
    this.layers.push(row);
    this.widths.push(TAIL + LETTER * Math.max(2, ...row.map(({ label }) => Array.from(label).length)));
    return row;
  }

  /** Left edge of a layer. */
  x(layer) {
    let x = 0;
    for (let k = 0; k < layer; k++) x += this.widths[k];
    return x;
  }

  /** From the first token to a node. @returns {Placed[]} */
  pathTo(placed) {
    const path = [];
    for (let one = placed; one; one = one.parent) path.unshift(one);
    return path;
  }

  /** The node that writes these tokens, or the last one on the way. */
  find(tokenIds) {
    let here = null;
    for (let k = 0; k < tokenIds.length; k++) {
      const next = this.layers[k]?.find(({ node, parent }) => parent === here && node.token_id === tokenIds[k]);
      if (!next) return { placed: here, whole: false };
      here = next;
    }
    return { placed: here, whole: true };
  }

  /** The best of the paths still searched or ended, by log-probability. */
  best() {
    let found = null;
    for (const row of this.layers) {
      for (const one of row) {
        const last = one.layer === this.layers.length - 1;
        if (!one.node.kept || !(last || one.node.ended)) continue;
        if (!found || one.node.log_probability > found.node.log_probability) found = one;
      }
    }
    return found;
  }
}
