/** The number under the pointer, or under the cell that arrow keys have reached, beside it. */

import { make } from "../../words.js";

const AWAY = 12; // css px from the pointer

let tip = null;
let live = null;

/**
 * Say a number at a place of the window.
 * @param {string} words @param {{x: number, y: number}} place @param {boolean} aloud  reached by keys
 */
export function tell(words, { x, y }, aloud = false) {
  if (!tip) document.body.append((tip = make("div", { class: "tip num", "aria-hidden": "true" })));
  tip.textContent = words;
  tip.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = x + AWAY + width > innerWidth - 4 ? x - AWAY - width : x + AWAY;
  const top = y - AWAY - height < 4 ? y + AWAY : y - AWAY - height;
  tip.style.transform = `translate(${Math.round(Math.max(4, left))}px, ${Math.round(top)}px)`;
  live ??= document.getElementById("live");
  if (aloud && live) live.textContent = words;
}

/** Nothing is pointed at. */
export function hush() {
  if (tip) tip.hidden = true;
}
