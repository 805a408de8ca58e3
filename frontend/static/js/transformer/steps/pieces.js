/** Pieces that every step is set in: letters in their colours, numbers, bars of ranges, checks. */

import { full, make, percent, short, t } from "../../words.js";
import { digits } from "./numbers.js";

const FEW_DIGITS = 3; // fewer than these are no agreement

/**
 * A letter in its colour, with an index: a place, a unit, or a token without the dot that says that
 * it goes on with a word.
 * @param {string} name  of the colour
 */
export function letter(name, text, index = "") {
  const node = make("i", { class: `q q-${name}` }, text);
  if (index !== "") node.append(make("sub", {}, String(index).replace(/^·(?=.)/, "")));
  return node;
}

/** A number in the colour of its letter; the tooltip has all of it. */
export function number(value, name = "") {
  return make("span", { class: name ? `num q-${name}` : "num", title: full(value) }, short(value));
}

/** A line of numbers and signs, under the formula that it fills in. */
export function line(...parts) {
  return make("p", { class: "filled num" }, ...parts.flat().filter((part) => part !== null && part !== "").flatMap((part) => [typeof part === "string" ? make("span", { class: "sign" }, part) : part, " "]));
}

/** Sizes of a matrix, as `9 × 16`. */
export function size(...axes) {
  return make("span", { class: "size num" }, axes.join(" × "));
}

/**
 * Do the numbers that were computed here agree with the network's?
 * @param {ArrayLike<number>} own @param {ArrayLike<number>} told @param {string} [what]  key of the words
 */
export function agreement(own, told, what = "computed here; the network's numbers agree in {n} digits") {
  const found = digits(own, told);
  const good = found >= FEW_DIGITS;
  return make("p", { class: good ? "agree" : "agree not", "data-digits": String(found) }, good ? t(what, { n: found }) : t("computed here; the network's numbers differ: {n} digits agree", { n: found }));
}

/** The bar of a range: its ramp, its ends, a notch where numbers lie beyond. */
export function rangeBar(ramp, low, high, largest = 0, of = null) {
  const stops = Array.from({ length: 17 }, (_, k) => ramp.css[Math.round((k * 255) / 16)]);
  const bar = make("span", { class: "bar" });
  bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
  const cut = largest > high * 1.0001;
  bar.classList.toggle("clipped", cut);
  if (cut) bar.title = t("values reach {value}: cut at the ends of the bar", { value: short(largest) });
  return make("span", { class: "range num" }, ...(of ? [of] : []), short(low), bar, short(high), ...(cut ? [make("span", { class: "range-cut" }, t("largest {value}", { value: short(largest) }))] : []));
}

/** A weight as a share, in the colour of attention. */
export function weight(value) {
  return make("span", { class: "num q-attention", title: full(value) }, percent(value));
}
