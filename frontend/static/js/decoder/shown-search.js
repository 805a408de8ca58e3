/**
 * The search that a tree shows, whole from its first token. A search that was given a beginning
 * starts after it: its steps are put before the tree, once they have come. A run that only reads a
 * hypothesis has no search of its own; the one before then stays, to read another.
 */

const NONE = { tree: [], hypotheses: [], text: null };

export class ShownSearch {
  /** @param {import("./run.js").DecoderRun} run */
  constructor(run) {
    this.run = run;
    this.taken = new Set(); // hypotheses of this search that were read
    this.kept = NONE;
  }

  /** These tokens of it are read. */
  take(tokenIds) {
    this.taken.add(tokenIds.join());
  }

  /** @returns {{tree: import("./run.js").BeamNode[], hypotheses: import("./run.js").Hypothesis[]}} */
  get now() {
    const { tree, hypotheses, options, sourceText: text, target } = this.run;
    const same = this.kept.text === text;
    if (!tree.length && same && this.taken.has(options?.prefix?.join())) return this.kept;
    const given = tree[0]?.step ?? 0;
    if (given > target.length) return same ? this.kept : NONE;
    if (this.of !== tree || this.size !== tree.length) {
      Object.assign(this, { of: tree, size: tree.length, whole: given ? grown(target.slice(0, given), tree) : tree });
    }
    this.kept = { tree: this.whole, hypotheses, text };
    return this.kept;
  }
}

/** A tree on a stem of the tokens that it was given. */
function grown(given, tree) {
  const stem = given.length;
  let sum = 0;
  const below = given.map(({ token, token_id, probability }, k) => {
    sum += Math.log(probability);
    return { id: k, parent: k - 1, step: k, token, token_id, log_probability: sum, kept: true, ended: false };
  });
  return [...below, ...tree.map((node) => ({ ...node, id: node.id + stem, parent: node.parent < 0 ? stem - 1 : node.parent + stem }))];
}
