/** How the tree of a search is handled: pointer, touch and keys. */

/** Let a tree be handled. @param {import("./beam-tree.js").BeamTree} tree */
export function handle(tree) {
  const { drawing, scroller } = tree;
  const placed = (event) => {
    const id = event.target.closest?.("[data-node]")?.dataset.node;
    return id === undefined ? null : tree.layout.placed.get(Number(id));
  };
  drawing.addEventListener("pointermove", (event) => tree.look(placed(event)));
  drawing.addEventListener("pointerleave", () => tree.look(null));
  drawing.addEventListener("blur", () => tree.look(null));
  drawing.addEventListener("click", (event) => {
    const node = placed(event);
    if (!node) return;
    tree.look(node);
    if (node.node.ended) tree.take(tree.tokensTo(node));
  });
  drawing.addEventListener("keydown", (event) => key(tree, event));
  scroller.addEventListener("scroll", () => {
    if (Math.abs(scroller.scrollLeft - tree.put) > 2) tree.following = false;
  });
}

/** Arrows walk the tree, Enter reads an ended hypothesis. */
function key(tree, event) {
  const { layers } = tree.layout;
  if (event.altKey || event.ctrlKey || event.metaKey || !layers.length) return;
  const here = tree.looked ?? tree.winner.at(-1) ?? layers[0][0];
  const row = layers[here.layer];
  const k = row.indexOf(here);
  const steps = {
    ArrowLeft: () => here.parent,
    ArrowRight: () => layers[here.layer + 1]?.find(({ parent }) => parent === here),
    ArrowUp: () => row[k - 1],
    ArrowDown: () => row[k + 1],
  };
  if (event.key in steps) tree.look(steps[event.key]() ?? here, true);
  else if (event.key === "Enter" && here.node.ended) tree.take(tree.tokensTo(here));
  else return;
  event.preventDefault();
  event.stopPropagation();
}
