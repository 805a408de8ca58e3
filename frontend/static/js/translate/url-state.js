/** The state of a translator's lab, as its address holds it. */

import { Address } from "../address.js";

export const ADDRESS = new Address({
  text: "",
  beam: 1,
  penalty: 1,
  most: 60,
  pace: 12, // steps a second; 0: as they come
  prefix: "", // token ids that the reader chose, "12.53.8"
  picks: "", // which steps of it, "2"
  force: "", // "3-7": step 3 looks at source position 7
  cell: "", // "3-7": what is chosen
  unit: -1, // of the context in the arithmetic
  map: "weight",
  partner: "",
});

const OF_ONE = ["prefix", "picks", "force", "cell", "unit", "partner"]; // mean nothing elsewhere

/** The address of another checkpoint with the same sentence. */
export function elsewhere(path) {
  const query = new URLSearchParams(location.search);
  for (const name of OF_ONE) query.delete(name);
  return `${path}?${query}`;
}
