/** The numbers of the gradient bench in a table: a column a network. */

import { make, pageData, short, t } from "../words.js";
import { clipped, number } from "./gradient-data.js";

/** @param {import("./gradient-data.js").Answer[]} answers @param {any} state of the bench */
export function numbers(answers, state) {
  const head = make("tr", {}, make("td", {}));
  for (const { about, name, family } of answers) {
    const link = make("a", { href: `/${pageData.language}/lab/${about.id}`, title: about.title }, name);
    head.append(make("th", { scope: "col", class: `of-${family}` }, link, make("small", {}, ` ${about.config.num_layers}×${about.config.hidden_size}`)));
  }
  const body = make("tbody", {});
  const row = (label, cell) => {
    const cells = answers.map((one) => make("td", { class: "num" }, ...[cell(one)].flat()));
    body.append(make("tr", {}, make("th", { scope: "row" }, ...[label].flat()), ...cells));
  };
  row(`${state.sum ? t("sum of the losses") : t("loss at this step")}, ${t("nats")}`, (one) => short(one.loss));
  if (!state.sum) reached(row, answers, state);
  if (answers.some((one) => one.cut)) {
    row(t("weights: norm, whole"), (one) => number(Math.log10(one.norm)));
    row(t("weights: norm, truncated"), (one) => number(Math.log10(one.cut.norm)));
    row(t("cosine between the two"), (one) => short(one.cut.cosine));
  } else row(t("gradient of all weights: norm"), (one) => number(Math.log10(one.norm)));
  if (state.controls.includes("clip")) {
    row(t("clipped to {most}", { most: short(state.clip) }), (one) => {
      const { factor, norm } = clipped(one.cut?.norm ?? one.norm, state.clip);
      return [number(Math.log10(norm)), make("small", { class: "quiet" }, ` × ${short(factor)}`)];
    });
  }
  return make("table", { class: "gb-numbers" }, make("thead", {}, head), body);
}

/** How far the gradient of one loss comes. */
function reached(row, answers, state) {
  const q = (letter) => make("i", { class: `q q-${letter}` }, letter);
  row([t("gradient at the first character"), " ", q("h")], (one) => number(one.lines(state.layer)[0].log[0]));
  row([t("at the step of the loss"), " ", q("h")], (one) => number(one.lines(state.layer)[0].log[state.at]));
  row(t("first / last"), (one) => number(one.reach(state.layer, state.at).decades));
  if (!answers.some((one) => one.lines(state.layer)[1])) return;
  row([t("first / last"), " ", q("c")], (one) => {
    const reach = one.reach(state.layer, state.at, "c");
    return reach ? number(reach.decades) : "—";
  });
}

/** The same by name, for exercises. The first network's also without its family behind them. */
export function valuesOf(answers, state) {
  const found = {};
  answers.forEach((one, k) => {
    const reach = one.reach(state.layer, state.at);
    const norm = one.cut?.norm ?? one.norm;
    const clip = clipped(norm, state.clip);
    const radii = one.jacobians ? [...one.jacobians.radius] : [];
    const own = {
      loss: one.loss, ...reach, norm, whole: one.norm, clipped: clip.norm, factor: clip.factor, cosine: one.cut?.cosine ?? 1,
      radius: radii.reduce((sum, value) => sum + value, 0) / radii.length,
      above: radii.filter((value) => value > 1).length / radii.length,
    };
    for (const [name, value] of Object.entries(own)) {
      found[`${name}.${one.family}`] ??= value;
      if (!k) found[name] = value;
    }
    const road = one.reach(state.layer, state.at, "c");
    for (const [name, value] of Object.entries(road ?? {})) found[`${name}.${one.family}.c`] ??= value;
  });
  return found;
}
