/** The state of a captioner's lab, as its address holds it. A reader's own picture cannot stand in it. */

import { Address } from "../address.js";

export const ADDRESS = new Address({
  photo: "", // name of an example
  beam: 1,
  penalty: 1,
  most: 30,
  pace: 3, // words a second; 0: as they come
  seed: "", // of the cells that a hard network draws; "": the likeliest
  prefix: "", // token ids that the reader chose, "12.53.8"
  picks: "", // which steps of it, "2"
  force: "", // "3-17": step 3 looks at cell 17
  cell: "", // "3-17": the word and the cell that are chosen; "3": the word alone
  region: "", // "8-24": opposite corners of the marked part
  light: "smooth", // or "raw"
  scale: "own", // or "common": one for all words
  unit: -1, // of the context in the arithmetic
  scene: 1, // a drawn scene
  ask: "", // and what was asked about it
});

const OF_ONE = ["prefix", "picks", "force", "cell", "unit", "seed"]; // mean nothing elsewhere

/** The address of another checkpoint with the same picture. */
export function elsewhere(path) {
  const query = new URLSearchParams(location.search);
  for (const name of [...OF_ONE, "with"]) query.delete(name);
  return `${path}?${query}`;
}
