/** What a network would say if its text ended at each step: a row a label, a column a step. */

import { inkOn } from "../color.js";
import { make, mark, percent, spoken, t } from "../words.js";
import { green, scale } from "./reading-desk.js";

const TOLD = 0.095; // cells of at least this much carry their number

/**
 * A table whose last column is a bar for the step that is chosen.
 * @param {{tokens: string[], labels: string[], points}} found
 * @param {{at: number, onGo: (at: number) => void, nameOf}} options
 */
export function stepsTable({ tokens, labels, points }, { at, onGo, nameOf }) {
  const values = points.labels.values;
  const L = labels.length;
  const ramp = green();
  const best = tokens.map((_, s) => {
    const row = values.subarray(s * L, (s + 1) * L);
    return row.indexOf(Math.max(...row));
  });
  const head = make("tr", {}, make("th", { scope: "col" }, make("span", { class: "out-of-sight" }, t("label"))));
  tokens.forEach((token, s) => {
    const button = make("button", { type: "button", class: "num", "data-step": String(s), "aria-pressed": String(s === at), "aria-label": t("if it ended at “{text}”", { text: tokens.slice(0, s + 1).map(spoken).join("") }) }, mark(token));
    button.addEventListener("click", () => onGo(s));
    button.addEventListener("keydown", (event) => {
      const to = s + ({ ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0);
      if (to === s || to < 0 || to >= tokens.length) return;
      event.preventDefault();
      document.activeElement.dataset.step = String(to); // where the focus goes once it is drawn again
      onGo(to);
    });
    head.append(make("th", { scope: "col" }, button));
  });
  head.append(make("th", { scope: "col", class: "bar-head" }, make("span", { class: "quiet" }, at === tokens.length - 1 ? t("in the end") : t("after {n} of {all}", { n: at + 1, all: tokens.length }))));
  const rows = labels.map((label, k) => {
    const now = values[at * L + k];
    const cells = tokens.map((_, s) => {
      const value = values[s * L + k];
      const css = ramp.css[Math.round(255 * value)];
      const cell = make("td", { class: `cell${s === at ? " at" : ""}${best[s] === k ? " best" : ""}`, title: `${nameOf(label)}: ${percent(value)}` }, make("span", value >= TOLD ? {} : { class: "out-of-sight" }, String(Math.round(100 * value))));
      Object.assign(cell.style, { background: css, color: inkOn(css) });
      cell.addEventListener("click", () => onGo(s));
      return cell;
    });
    const fill = make("i", {});
    fill.style.width = `${100 * now}%`;
    return make("tr", { class: best[at] === k ? "likeliest" : "" }, make("th", { scope: "row" }, nameOf(label)), ...cells, make("td", { class: "bar-cell" }, make("span", { class: "bar-track" }, fill), make("span", { class: "num" }, percent(now))));
  });
  const table = make("table", { class: "label-steps" }, make("caption", { class: "out-of-sight" }, t("probability of each label, in percent, if the text ended at each step")), make("thead", {}, head), make("tbody", {}, ...rows));
  return make("div", {}, make("div", { class: "label-scroll" }, table), make("p", { class: "note small" }, scale(ramp, "0", "100%", t("probability if the text ended there")), make("span", { class: "best-key" }, make("i", { class: "cell best" }), t("the likeliest after that step"))));
}
