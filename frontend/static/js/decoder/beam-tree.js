/**
 * A beam search as a tree, left to right: a node a token, with its probability after its parent.
 * Kept nodes are solid, dropped ones faint, ended ones square; the winner's path is drawn wide.
 * Beside it stand the hypotheses in words, best first: what the tree says, for a keyboard too.
 */

import { color, onRestyle } from "../color.js";
import { make, percent, t } from "../words.js";
import { HypothesisList } from "./hypothesis-list.js";
import { ShownSearch } from "./shown-search.js";
import { at, fileOf, svg } from "./svg.js";
import { handle } from "./tree-hands.js";
import { endOf, TreeLayout } from "./tree-layout.js";
import { nodeInWords, searchInWords } from "./tree-words.js";

const AT_ONCE = 3; // layers drawn in one frame
const DROPPED = 4; // dropped nodes drawn of a step, or as many as were kept: the likeliest
const MARGIN = 16;
const DOT = 4;
let trees = 0;

export class BeamTree {
  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {import("./run.js").DecoderRun} options.run
   * @param {import("./link.js").Link} options.link a node's search step is pointed at
   * @param {(tokenIds: number[]) => void} options.onTake a hypothesis was chosen
   */
  constructor(host, { run, link, onTake }) {
    Object.assign(this, { host, run, link, onTake });
    const id = `tree-words-${++trees}`;
    this.edges = svg("g", { class: "bt-edges" });
    this.nodes = svg("g", { class: "bt-nodes" });
    this.moved = svg("g", {}, this.edges, this.nodes);
    this.drawing = svg("svg", { class: "bt-drawing", role: "group", tabindex: 0, "aria-label": t("Tree of the beam search"), "aria-describedby": id }, this.moved);
    this.scroller = make("div", { class: "bt-scroller" }, this.drawing);
    this.panel = make("p", { class: "bt-panel", id, role: "status" });
    const beside = make("div", { class: "bt-beside" });
    this.list = new HypothesisList(beside, {
      onTake: (ids) => this.take(ids),
      onLook: (ids) => {
        const { placed } = this.layout.find(ids ?? []);
        this.look(placed, true);
      },
    });
    host.classList.add("beam-tree");
    host.append(make("div", { class: "bt-body" }, this.scroller, beside), this.panel);
    this.shown = new ShownSearch(run);
    this.forget();
    const wake = () => this.wake();
    for (const type of ["source", "beam", "done", "step"]) run.addEventListener(type, wake);
    onRestyle(wake);
    handle(this);
  }

  /** The tokens of the path to a placed node. */
  tokensTo(placed) {
    return this.layout.pathTo(placed).map(({ node }) => node.token_id);
  }

  /** Read these tokens. */
  take(tokenIds) {
    this.shown.take(tokenIds);
    this.onTake(tokenIds);
  }

  forget(another = false) {
    if (another) this.shown.taken.clear();
    this.layout = new TreeLayout();
    this.left = 0; // dropped nodes that are not drawn
    this.seen = 0; // nodes of the run's tree that are placed
    this.marks = new Map(); // by id: {dot and words, edge}
    this.winner = [];
    this.crowned = 0;
    this.looked = null;
    this.following = true;
    this.put = 0;
    this.first = this.state = null;
    this.edges.replaceChildren();
    this.nodes.replaceChildren();
  }

  wake() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  /** What is drawn: all nodes, and how the search ended. */
  get search() {
    return this.shown.now;
  }

  /** Draw what is new. */
  draw() {
    const { tree, hypotheses } = this.search;
    const { target } = this.run;
    if (tree.length < this.seen || this.first !== (tree[0] ?? null)) this.forget(tree.length > 0);
    const state = [tree.length, hypotheses.length, target.length, color("--scale")].join();
    if (state === this.state && this.reading === target) return;
    this.state = state;
    this.reading = target;
    this.host.classList.toggle("empty", !tree.length);
    this.first = tree[0] ?? null;
    const grown = tree.length > this.seen;
    for (let layer = 0; layer < AT_ONCE && this.seen < tree.length; layer++) {
      const { step } = tree[this.seen];
      let stop = this.seen;
      while (stop < tree.length && tree[stop].step === step) stop++;
      for (const one of this.layout.add(this.drawn(tree.slice(this.seen, stop)), visible)) this.add(one);
      this.seen = stop;
    }
    this.fit(grown);
    if (this.seen < tree.length) {
      this.state = null;
      return this.wake();
    }
    this.crown();
    this.tell();
  }

  /** Of one step's nodes those that are drawn: with eight beams sixty are weighed. */
  drawn(nodes) {
    const kept = nodes.filter((node) => node.kept);
    const dropped = nodes.filter((node) => !node.kept).sort((a, b) => b.log_probability - a.log_probability);
    const shown = dropped.slice(0, Math.max(DROPPED, kept.length));
    this.left += dropped.length - shown.length;
    return [...kept, ...shown];
  }

  add(one) {
    const { node, parent, label, share } = one;
    const x = MARGIN + this.layout.x(one.layer);
    const kind = `${node.kept ? "kept in the search" : "dropped"}${node.ended ? " ended" : ""}`;
    const y = at(one.y);
    let edge = null;
    if (parent) {
      const [left, before] = [at(x - 26), at(parent.y)];
      const end = at(MARGIN + this.layout.x(parent.layer) + endOf(parent)); // of the parent's words
      const curve = `C${at(x - 14)} ${before} ${left} ${y} ${at(x - DOT - 1)} ${y}`;
      edge = svg("path", { class: `bt-edge ${kind}`, d: `M${Math.min(end, left)} ${before}H${left}${curve}` });
      this.edges.append(edge);
    }
    const dot = node.ended
      ? svg("rect", { class: "bt-dot", x: at(x - DOT), y: at(one.y - DOT), width: 2 * DOT, height: 2 * DOT })
      : svg("circle", { class: "bt-dot", cx: at(x), cy: y, r: DOT });
    const hit = svg("rect", { class: "bt-hit", x: at(x - 10), y: at(one.y - 10), width: at(this.layout.widths[one.layer] - 8), height: 20 });
    const text = svg("text", { x: at(x + 9), y, "dominant-baseline": "central" }, label, svg("tspan", { class: "bt-share", dx: 5 }, percent(share)));
    const mark = svg("g", { class: `bt-node ${kind}`, "data-node": node.id }, hit, dot, text);
    this.nodes.append(mark);
    this.marks.set(node.id, { mark, edge });
  }

  fit(grown) {
    const { layout, scroller, drawing } = this;
    const scale = parseFloat(color("--scale")) || 1;
    const width = MARGIN * 2 + layout.x(layout.layers.length);
    const height = MARGIN * 2 + layout.foot - layout.top;
    const size = [width, height, scale, layout.top].join();
    if (size !== this.size) {
      this.size = size;
      drawing.setAttribute("viewBox", `0 0 ${at(width)} ${at(height)}`);
      drawing.setAttribute("width", at(width * scale));
      drawing.setAttribute("height", at(height * scale));
      this.moved.setAttribute("transform", `translate(0 ${at(MARGIN - layout.top)})`);
    }
    if (!grown || !this.following) return;
    scroller.scrollLeft = scroller.scrollWidth;
    this.put = scroller.scrollLeft;
  }

  /** The winner's path: the best hypothesis, or the best so far. */
  crown() {
    const { hypotheses } = this.search;
    const best = hypotheses.length ? this.layout.find(hypotheses[0].token_ids).placed : this.layout.best();
    const path = best ? this.layout.pathTo(best) : [];
    if (path.at(-1) === this.winner.at(-1) && hypotheses.length === this.crowned) return;
    this.crowned = hypotheses.length;
    this.winner = path;
    this.paint("winner", path);
    if (!best || !this.following) return;
    const scale = parseFloat(color("--scale")) || 1;
    this.scroller.scrollTop = (MARGIN + best.y - this.layout.top) * scale - this.scroller.clientHeight / 2;
    if (!hypotheses.length) return;
    this.scroller.scrollLeft = (this.layout.x(best.layer + 1) + MARGIN) * scale - this.scroller.clientWidth * 0.75;
    this.put = this.scroller.scrollLeft;
  }

  /** Give the nodes of a path, and no others, a class. */
  paint(name, path) {
    for (const group of [this.nodes, this.edges]) group.querySelectorAll(`.${name}`).forEach((node) => node.classList.remove(name));
    for (const { node } of path) {
      const { mark, edge } = this.marks.get(node.id);
      mark.classList.add(name);
      edge?.classList.add(name);
      if (edge) this.edges.append(edge); // over the others
    }
  }

  /** Point at a node: its path, its numbers. */
  look(placed, reveal = false) {
    if (placed === this.looked) return;
    this.looked = placed;
    this.paint("looked", placed ? this.layout.pathTo(placed) : []);
    this.link.point(placed && this.winner.includes(placed) && placed.layer < this.run.target.length ? placed.layer : -1, -1);
    this.tell();
    if (placed && reveal) this.marks.get(placed.node.id).mark.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** The node pointed at, in words; and the list of hypotheses. */
  tell() {
    const { looked, layout, run } = this;
    const { hypotheses, tree } = this.search;
    const said = looked ? nodeInWords(layout.pathTo(looked), hypotheses) : searchInWords(tree, this.left);
    if (this.panel.textContent !== said) this.panel.textContent = said;
    this.list.draw(hypotheses, run.target.map(({ token_id }) => token_id));
  }

  /** The tree as the text of an SVG file. */
  exportSVG() {
    const { about, sourceText } = this.run;
    return fileOf(this.drawing, `${about.title ?? about.id}: ${t("Tree of the beam search")}: ${sourceText}`, color("--paper"));
  }

  /** Rows for a CSV: one per node. */
  rows() {
    const { tree } = this.search;
    return [
      ["id", "parent", "step", "token", "token_id", "log_probability", "kept", "ended"],
      ...tree.map((node) => [node.id, node.parent, node.step, node.token, node.token_id, node.log_probability, node.kept ? 1 : 0, node.ended ? 1 : 0]),
    ];
  }
}

/** A token as a node shows it: a piece that goes on with a word has no room of its own. */
function visible({ token }) {
  return token.trim() ? token.trim() : "␣";
}
