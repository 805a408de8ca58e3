/** The state of a transformer's lab, as its address holds it. */

import { Address } from "../address.js";

export const ADDRESS = new Address({
  text: "",
  stack: "", // encoder, decoder, cross
  layer: 0,
  head: 0,
  query: -1, // the token that looks; -1: the last
  key: -1, // the token that is looked at; -1: the one it looks at most
  off: "", // heads switched off, "blocks.2.5,blocks.3.0"
  blocked: "", // rectangles that may not be looked at, "0-4-2-3,..."
  positions: 1, // 0: left out
  order: "", // in which tokens are read, "2.0.1"
  target: "", // token ids that a translator wrote, "12.53.8"
  map: "attention", // or scores
  // What views keep for themselves, see `Store.keep`.
  lens: "",
  writing: "",
  table: "",
});

const OF_ONE = ["stack", "layer", "head", "query", "key", "off", "blocked", "order", "target", "lens", "writing", "table"];

/** The address of another checkpoint with the same text. */
export function elsewhere(path) {
  const query = new URLSearchParams(location.search);
  for (const name of OF_ONE) query.delete(name);
  return `${path}?${query}`;
}

const numbers = (text, sign) => (text ? text.split(sign).map(Number) : []);
const whole = (list) => list.every((value) => Number.isInteger(value) && value >= 0);

/** The state of a store, out of what an address says; what is no such thing is left out. */
export function stateOf(address) {
  const order = numbers(address.order, ".");
  const target = numbers(address.target, ".");
  const blocked = address.blocked.split(",").map((one) => numbers(one, "-")).filter((one) => one.length === 4 && whole(one));
  return {
    text: address.text,
    stack: address.stack,
    layer: address.layer,
    head: address.head,
    query: address.query,
    key: address.key,
    edits: {
      heads_off: address.off.split(",").filter((name) => /^[a-z.]*blocks\.\d+(\.cross)?\.\d+$/.test(name)),
      blocked,
      positions: address.positions !== 0,
      order: whole(order) ? order : [],
    },
    target: address.text && target.length && whole(target) ? target : null,
  };
}

/** The other way round. */
export function addressOf({ text, stack, layer, head, query, key, edits, target }) {
  return {
    text, stack, layer, head, query, key,
    off: edits.heads_off.join(","),
    blocked: edits.blocked.map((one) => one.join("-")).join(","),
    positions: edits.positions ? 1 : 0,
    order: edits.order.join("."),
    target: target?.join(".") ?? "",
  };
}
