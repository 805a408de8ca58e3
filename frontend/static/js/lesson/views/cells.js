/**
 * Networks with different cells on one text: how much each character surprises each of them, one
 * row a cell, in columns that are the text's; what they have in parameters, and in nats on the test
 * text and on this one.
 *
 * Options: checkpoints: their ids; labels: what to call them, where it is not their cells that differ; text; at: the character looked at; show: some of rows, table,
 * arithmetic (how the parameters are counted); counted: the cell whose sum is written out.
 * Values for exercises: at; by the name of a cell (lstm, rnn_tanh, mut1 ...), or with labels by the id
 * of a checkpoint, `nats.<cell>` on this
 * text, `surprise.<cell>` at the character, `parameters.<cell>`; `spread`: the largest surprise at
 * the character less the smallest.
 */

import { checkpoint, trace } from "../../api.js";
import { decode } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { SurpriseRows, surpriseScale } from "../../surprise-rows.js";
import { make, mark, pageData, percent, short, surprise, t } from "../../words.js";
import { addends } from "../cell-counts.js";
import { whenTyped } from "../typing.js";

const USUAL = ["cells-rnn", "cells-lstm", "cells-gru", "cells-mut1", "cells-mut2", "cells-mut3"];
const FULL = 6; // nats: the deep end of the colours
const REST = 300; // ms after typing before the text is read
const LONGEST = 200; // characters
const NEWLINE = "↵"; // how the field of one line writes it
const NAMES = { rnn_tanh: "RNN", rnn_relu: "RNN, ReLU", lstm: "LSTM", gru: "GRU", mut1: "MUT1", mut2: "MUT2", mut3: "MUT3" };

export async function mount(stage, options, figure) {
  const ids = options.checkpoints ?? USUAL;
  const all = await Promise.all(ids.map(checkpoint));
  const broken = all.find((about) => about.status !== "ready");
  if (broken) throw new Error(broken.reason || broken.status);
  const view = new Cells(stage, { text: all[0].prompt ?? "", at: -1, show: ["rows", "table"], counted: "lstm", ...options }, figure, all);
  await view.read();
  return view;
}

class Cells {
  constructor(stage, options, figure, all) {
    Object.assign(this, { stage, figure, all, state: { ...options } });
    const { labels } = options;
    this.cells = all.map((about) => (labels ? about.id : about.config.cell));
    this.names = all.map((about, k) => labels?.[k] ?? NAMES[about.config.cell]);
    this.field = make("input", { class: "field num text", type: "text", value: options.text.replaceAll("\n", NEWLINE), maxLength: LONGEST, spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(this.field, REST, () => this.retype(this.field.value.replaceAll(NEWLINE, "\n")));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.rows = new SurpriseRows({ className: labels ? "named" : "", onGo: (at) => this.go(at) });
    this.scale = make("p", { class: "cells-scale quiet" });
    this.told = make("div", { class: `cells-told${labels ? " named" : ""}`, role: "status" });
    this.table = make("div", { class: "cells-table" });
    this.sum = make("div", { class: "cells-sum" });
    const shows = (name) => this.state.show.includes(name);
    const parts = [];
    if (shows("rows")) parts.push(make("div", { class: "cells-head" }, this.field), this.problem, make("div", { class: "cells-scroll" }, this.rows.node), this.scale, this.told);
    if (shows("table")) parts.push(this.table);
    if (shows("arithmetic")) parts.push(this.sum);
    stage.replaceChildren(...parts);
    if (shows("arithmetic")) this.drawSum();
    onRestyle(() => this.draw());
  }

  retype(text) {
    if (!text || text === this.state.text) return;
    Object.assign(this.state, { text, at: -1 });
    this.figure.keep({ text, at: -1 });
    this.read();
  }

  go(at) {
    this.state.at = Math.max(1, Math.min(this.length - 1, at));
    this.figure.keep({ at: this.state.at });
    this.draw();
  }

  async read() {
    this.aborter?.abort();
    this.aborter = new AbortController();
    const { text } = this.state;
    try {
      const found = await Promise.all(this.all.map(({ id }) => trace(id, { text, points: [] }, this.aborter.signal)));
      this.tokens = found[0].tokens;
      this.found = found.map((one) => {
        const likely = decode(one.next.probabilities);
        const width = likely.length / one.tokens.length;
        const probability = decode(one.probability);
        return {
          probability,
          surprise: Array.from(probability, surprise), // NaN at the first
          best: one.next.tokens.map((tokens, k) => ({ token: tokens[0], probability: likely[k * width] })),
        };
      });
      this.problem.textContent = "";
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.problem.textContent = inOneLine(error);
    }
  }

  get length() {
    return this.tokens?.length ?? 0;
  }

  /** The character looked at: where they differ most, unless one was chosen. */
  get at() {
    const { at } = this.state;
    if (at > 0 && at < this.length) return at;
    let best = 1;
    for (let k = 2; k < this.length; k++) if (this.spread(k) > this.spread(best)) best = k;
    return Math.min(best, this.length - 1);
  }

  spread(at) {
    const here = this.found.map((one) => one.surprise[at]);
    return Math.max(...here) - Math.min(...here);
  }

  mean(k) {
    const told = this.found[k].surprise.slice(1);
    return told.reduce((sum, value) => sum + value, 0) / told.length;
  }

  values() {
    const values = {};
    this.cells.forEach((cell, k) => {
      values[`parameters.${cell}`] = this.all[k].parameters;
      if (!this.found) return;
      values[`nats.${cell}`] = this.mean(k);
      values[`surprise.${cell}`] = this.found[k].surprise[this.at];
    });
    if (this.found) Object.assign(values, { at: this.at, spread: this.spread(this.at) });
    return values;
  }

  draw() {
    if (!this.found) return;
    const { at, tokens } = this;
    const rows = this.found.map((one, k) => ({
      name: this.names[k],
      label: `${this.names[k]}: ${t("{nats} nats on this text", { nats: short(this.mean(k)) })}`,
      values: one.surprise,
      title: (step) => t("it had {share}, a surprise of {nats} nats", { share: percent(one.probability[step]), nats: short(one.surprise[step]) }),
    }));
    this.rows.draw({ tokens, text: this.state.text, rows, full: FULL, at });
    this.scale.replaceChildren("0", surpriseScale().bar(), t("{n} nats and more of surprise", { n: FULL }));
    this.tell(at);
    this.drawTable();
    this.figure.changed();
  }

  /** What each made of the character looked at. */
  tell(at) {
    if (this.length < 2) return this.told.replaceChildren();
    const here = this.found.map((one) => one.surprise[at]);
    const longest = Math.max(1, ...here);
    const before = this.tokens.slice(Math.max(0, at - 14), at).map(mark).join("");
    this.told.replaceChildren(
      make("p", {}, t("“{character}” after “{before}”: nats of surprise, and what the cell held most likely", { character: mark(this.tokens[at]), before })),
      ...this.found.map((one, k) => {
        const bar = make("i", { class: "cells-bar" });
        bar.style.width = `${(100 * here[k]) / longest}%`;
        const guess = one.best[at - 1];
        return make("div", { class: "cells-one" }, make("b", {}, this.names[k]), make("span", { class: "cells-track" }, bar), make("span", { class: "num" }, short(here[k])), make("span", { class: "num quiet" }, `${mark(guess.token)} ${percent(guess.probability)}`));
      }),
    );
  }

  drawTable() {
    const figures = this.all.map((about) => about.figures?.test_nats ?? NaN);
    const least = Math.min(...figures.filter((value) => !Number.isNaN(value)));
    const head = make("tr", {}, ...[this.state.labels ? "network" : "cell", "units", "parameters", "nats on the test text", "nats on this text here"].map((key) => make("th", { scope: "col" }, t(key))));
    const body = this.all.map((about, k) => {
      const link = make("a", { href: `/${pageData.language}/lab/${about.id}` }, this.names[k]);
      const best = figures[k] === least;
      const numbers = [about.config.hidden_size, about.parameters.toLocaleString("en"), figures[k].toFixed(3), this.found ? this.mean(k).toFixed(3) : ""];
      return make("tr", { class: best ? "best" : "" }, make("th", { scope: "row" }, link), ...numbers.map((text) => make("td", { class: "num" }, String(text))));
    });
    this.table.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  /** How the parameters of one of them are counted. */
  drawSum() {
    const choose = make("select", { class: "plain", "aria-label": t("cell") }, ...this.cells.map((cell, k) => make("option", { value: cell, selected: cell === this.state.counted }, this.names[k])));
    choose.addEventListener("change", () => {
      this.state.counted = choose.value;
      this.figure.keep({ counted: choose.value });
      this.drawSum();
      this.sum.querySelector("select").focus();
    });
    const about = this.all[Math.max(0, this.cells.indexOf(this.state.counted))];
    const rows = addends(about.config);
    const total = rows.reduce((sum, row) => sum + row.count, 0);
    const line = ({ name, sum, count }) => make("tr", {}, make("th", { scope: "row", class: "num" }, name), make("td", { class: "num" }, sum), make("td", { class: "num" }, count.toLocaleString("en")));
    this.sum.replaceChildren(
      make("p", {}, choose, " ", make("span", { class: "quiet" }, t("how its parameters are counted"))),
      make("table", {}, make("tbody", {}, ...rows.map(line), make("tr", { class: "total" }, make("th", { scope: "row" }, t("all together")), make("td", {}), make("td", { class: "num" }, total.toLocaleString("en"))))),
    );
    if (total !== about.parameters) this.sum.append(make("p", { class: "broken" }, `${about.parameters}`));
  }
}
