/**
 * What training on another text is worth: a network that was tuned and the same one from scratch, as
 * measured on more and more characters; or, while they were trained on as many, over the steps; or
 * what tuning cost on the old text. All of it from the figures of a checkpoint's config.
 *
 * Options: checkpoint; show: size, steps or forgotten; at: which number of characters, or validation.
 * Values for exercises: characters, tuned, scratch, ngram, gap (scratch less tuned), old (nats on the
 * old text after tuning), lost (by how much that is more than before); over the steps: step, tuned,
 * scratch, gap; forgotten: characters, old, lost.
 */

import { onRestyle } from "../../color.js";
import { make, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { LineChart } from "../line-chart.js";

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Transfer(stage, { show: "size", at: 2, ...options }, figure, about);
  view.draw();
  return view;
}

const nats = (value) => value.toFixed(3);

class Transfer {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, found: about.figures, state: { show: options.show, at: options.at } });
    const label = { size: t("characters of the new text"), steps: t("steps of training"), forgotten: t("characters of the new text") }[options.show];
    const host = make("div", { class: "transfer-chart" });
    this.chart = new LineChart(host, label, (at) => this.go(at));
    this.told = make("div", { class: `transfer-told of-${options.show}`, role: "status" });
    const link = labLink(about);
    stage.replaceChildren(make("p", { class: "transfer-head" }, t("nats a character"), ", ", t({ size: "test sentences", steps: "validation sentences", forgotten: "test part of the old text" }[options.show]), " · ", link), host, this.told);
    new ResizeObserver(() => this.draw()).observe(host);
    onRestyle(() => this.draw());
  }

  go(at) {
    this.state.at = at;
    this.figure.keep({ at });
    this.draw();
  }

  get at() {
    return Math.max(0, Math.min(this.xs.length - 1, this.state.at));
  }

  get xs() {
    const { by_size: rows, curves } = this.found;
    if (this.state.show === "steps") return curves.scratch.map(([step]) => step);
    return rows.map((row) => row.characters);
  }

  values() {
    const { by_size: rows, curves, untuned } = this.found;
    const x = this.xs[this.at];
    if (this.state.show === "steps") {
      const [tuned, scratch] = [curves.tuned[this.at]?.[1] ?? NaN, curves.scratch[this.at][1]];
      return { step: x, tuned, scratch, gap: scratch - tuned };
    }
    const row = rows[this.at];
    const values = { characters: x, old: row.old_test, lost: row.old_test - untuned.old_test };
    if (this.state.show === "forgotten") return values;
    return { ...values, tuned: row.tuned.mean, scratch: row.scratch.mean, ngram: row.ngram.mean, gap: row.scratch.mean - row.tuned.mean };
  }

  draw() {
    const { show } = this.state;
    const [words, whole] = [(key, values) => t(key, values), (value) => value.toLocaleString("en")];
    const thousands = (value) => (value >= 1000 ? `${Math.round(value / 1000)}k` : String(value));
    const { by_size: rows, curves, untuned } = this.found;
    const { xs, at } = this;
    const values = this.values();
    const line = (kind) => ({ name: words(kind), kind, ys: rows.map((row) => row[kind].mean), each: rows.map((row) => row[kind].test) });
    const curve = (kind) => ({ name: words(kind), kind, ys: xs.map((_, k) => curves[kind][k]?.[1] ?? NaN) });
    const kinds = {
      size: { lines: ["tuned", "scratch", "ngram"].map(line), levels: [{ name: words("untuned"), kind: "untuned", y: untuned.test }] },
      steps: { lines: ["tuned", "scratch"].map(curve), levels: [] },
      forgotten: { lines: [{ name: words("after tuning"), kind: "tuned", ys: rows.map((row) => row.old_test) }], levels: [{ name: words("before tuning"), kind: "untuned", y: untuned.old_test }] },
    };
    const steps = show === "steps";
    const title = steps ? t("steps of training") : t("characters of the new text");
    const place = steps ? t("step {n}", { n: xs[at] }) : t("{n} characters", { n: whole(xs[at]) });
    const told = this.tell(values, place);
    this.chart.draw({ xs, ...kinds[show], log: !steps, tick: steps ? String : thousands, across: title, at, spoken: `${place}: ${told}` });
    this.figure.changed();
  }

  /** The numbers at the hair. @returns {string} as a listener hears them */
  tell(values, place) {
    const { show } = this.state;
    const row = this.found.by_size[this.at];
    const rows = [];
    const add = (name, value, more = "") => Number.isFinite(value) && rows.push([t(name), nats(value), more]);
    if (show === "forgotten") {
      add("before tuning", this.found.untuned.old_test);
      add("after tuning", values.old, `+${nats(values.lost)}`);
    } else {
      const apart = (of) => (of?.deviation ? `± ${nats(of.deviation)}` : "");
      const rate = (of) => (of?.rate ? t("learning rate {rate}", { rate: of.rate }) : "");
      const more = (kind) => (show === "size" ? [apart(row[kind]), rate(row[kind])].filter(Boolean).join(", ") : "");
      add("tuned", values.tuned, more("tuned"));
      add("scratch", values.scratch, more("scratch"));
      add("the gap", values.gap);
      if (show === "size") add("ngram", values.ngram, t("order {n}", { n: row.ngram.order }));
      if (show === "size") add("untuned", this.found.untuned.test);
    }
    const line = ([name, value, note]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "num" }, value), make("td", { class: "quiet num" }, note));
    this.told.replaceChildren(make("p", {}, place), make("table", {}, make("tbody", {}, ...rows.map(line))));
    return rows.map((one) => one.join(" ")).join(", ");
  }
}
