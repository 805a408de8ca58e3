/**
 * Words with the weight that attention gives them, and what each adds to the answer: the logit of a
 * label is its bias plus the sum of the words' evidence. Of evidence only what sets one label apart
 * from the others counts, so each word's is told less its mean over the labels; so is the bias, which
 * is what the answer's own logit has beyond them.
 */

import { attentionRamp, inkOn, signedRamp } from "../color.js";
import { make, percent, short, t } from "../words.js";
import { scale } from "./reading-desk.js";

const UNEVEN = 0.02; // what is drawn of a weight starts here

/** @param {{tokens, labels, known, points}} found @param {{toward: number, nameOf}} options */
export function weighted(found, { toward, nameOf }) {
  const { tokens, labels, known, points } = found;
  const attention = points.attention?.values ?? new Float32Array(tokens.length).fill(1 / tokens.length);
  const adds = evidence(points.evidence.values, labels.length, toward);
  const [most, strongest] = [Math.max(...attention), Math.max(...adds.map(Math.abs)) || 1];
  const ramp = attentionRamp();
  const signed = signedRamp();
  const words = tokens.map((token, k) => {
    const share = attention[k] < UNEVEN * most ? 0 : attention[k] / most;
    const css = ramp.css[Math.round(255 * share)];
    const word = make("span", { class: `word${known[k] ? "" : " unknown"}` }, token);
    Object.assign(word.style, { background: css, color: inkOn(css) });
    const bar = make("i", {});
    const size = 50 * Math.abs(adds[k] / strongest);
    Object.assign(bar.style, { width: `${size}%`, left: adds[k] < 0 ? `${50 - size}%` : "50%", background: signed.css[adds[k] < 0 ? 20 : 235] });
    const said = t("{word}: weight {weight}, adds {value} towards {label}", { word: token, weight: percent(attention[k]), value: short(adds[k]), label: nameOf(labels[toward]) });
    return make("li", { title: known[k] ? said : `${said}. ${t("a word it does not know")}` }, word, make("span", { class: "num weight" }, percent(attention[k])), make("span", { class: "adds", "aria-hidden": "true" }, bar), make("span", { class: "num add" }, hundredths(adds[k])));
  });
  const logs = Array.from(found.probabilities, (value) => Math.log(Math.max(value, 1e-30)));
  const margin = logs[toward] - logs.reduce((sum, value) => sum + value, 0) / labels.length;
  const together = adds.reduce((sum, value) => sum + value, 0);
  const sum = t("all words together {words}, the bias {bias}: {sum}, that is {share} {label}", { words: hundredths(together), bias: hundredths(margin - together), sum: hundredths(margin), share: percent(found.probabilities[toward]), label: nameOf(labels[toward]) });
  const others = labels.length === 2 ? nameOf(labels[1 - toward]) : t("the others");
  return make(
    "section", { class: "weighted" },
    make("ul", { class: "weighted-words", "aria-label": t("words with their weights, and what each adds") }, ...words),
    make("p", { class: "weighted-sum num" }, sum),
    make(
      "p", { class: "note small label-keys" },
      ...(points.attention ? [scale(ramp, "0", percent(most), t("weight of a word"))] : []),
      scale(signed, short(-strongest), `+${short(strongest)}`, t("what it adds: to {left} or {right}", { left: others, right: nameOf(labels[toward]) })),
      ...(known.every(Boolean) ? [] : [make("span", { class: "unknown-key" }, make("span", { class: "word unknown" }, t("word")), t("a word it does not know"))]),
    ),
  );
}

/** Two digits behind the point, with a sign. */
function hundredths(value) {
  const size = Math.abs(value).toFixed(2);
  return size === "0.00" ? size : `${value < 0 ? "−" : "+"}${size}`;
}

/** What each step adds to a label's logit, less what it adds to all of them on average. */
export function evidence(values, labels, toward) {
  return Array.from({ length: values.length / labels }, (_, k) => {
    const row = values.subarray(k * labels, (k + 1) * labels);
    return row[toward] - row.reduce((sum, value) => sum + value, 0) / labels;
  });
}
