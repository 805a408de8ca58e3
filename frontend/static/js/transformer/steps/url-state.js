/** What the page of steps shows, as its address holds it. Names are those of the lab's address. */

import { Address } from "../../address.js";

export const ADDRESS = new Address({
  text: "",
  query: -1, // the token that looks; -1: the last
  key: -1, // the one whose score is spelled out; -1: the one it looks at most
  layer: 0,
  head: 0,
  unit: -1, // number of z that is added up; -1: the largest
  step: 1,
  shuffle: 1, // seed of the shuffled order
});
