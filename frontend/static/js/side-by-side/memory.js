/** Surprise against how much of the text is given: what more memory is worth, to each network. */

import { LineChart } from "../lesson/line-chart.js";
import { make, mark, t } from "../words.js";
import { badge, letterOf } from "./networks.js";
import { mean, reach } from "./readings.js";

/** Past the longest that was tried short of the whole text, nobody knows where. */
function reachWords(lengths, at) {
  return at === lengths.at(-1) && lengths.length > 1 ? `> ${lengths.at(-2)}` : String(at);
}

export class Memory {
  /** @param {HTMLElement} host @param {HTMLElement} controls @param {(change: object) => void} onChange */
  constructor(host, controls, onChange) {
    Object.assign(this, { host });
    this.of = make("select", { class: "plain", "aria-label": t("what the curve is of") }, make("option", { value: "text" }, t("the mean over the text")), make("option", { value: "character" }, t("the chosen character")));
    this.of.addEventListener("change", () => onChange({ of: this.of.value }));
    controls.replaceChildren(make("label", {}, t("bits, "), this.of));
    this.note = make("p", { class: "note", role: "status" });
    const plot = make("div", { class: "sbs-plot" });
    this.chart = new LineChart(plot, t("characters given"), (at) => onChange({ context: this.lengths[at] }));
    this.table = make("div", { class: "sbs-reach" });
    host.replaceChildren(this.note, make("div", { class: "sbs-two" }, plot, this.table));
    new ResizeObserver(() => this.again?.()).observe(plot);
  }

  /**
   * @param {{network, place, memory?: {lengths, rows, problem?}}[]} runs
   * @param {string[]} tokens @param {{of: string, context: number, at: number}} state
   */
  draw(runs, tokens, state) {
    this.again = () => this.draw(runs, tokens, state);
    const ready = runs.filter(({ memory }) => memory?.rows);
    const waits = runs.filter(({ memory }) => !memory);
    const broken = runs.filter(({ memory }) => memory?.problem);
    this.note.textContent = waits.length
      ? t("The server reads the text again with short contexts: {done} of {all} networks.", { done: runs.length - waits.length, all: runs.length })
      : broken.map(({ network, memory }) => `${network.name}: ${memory.problem}`).join(" ");
    this.host.classList.toggle("empty", !ready.length);
    this.of.value = state.of;
    if (!ready.length || !this.host.clientWidth) return;
    const { lengths } = ready[0].memory;
    this.lengths = lengths;
    const single = state.of === "character";
    this.curves = ready.map(({ network, place, memory }) => ({ network, place, ys: memory.rows.map((row) => (single ? row[state.at] : mean(row))) }));
    const here = lengths.indexOf(state.context);
    const at = here < 0 ? lengths.length - 1 : here;
    const given = lengths[at] === lengths.at(-1) ? t("the whole text") : t("the last {n} characters", { n: lengths[at] });
    this.chart.draw({
      xs: lengths,
      lines: this.curves.map(({ network, place, ys }) => ({ name: `${letterOf(place)} ${network.name}`, kind: `net-${place % 8}`, ys })),
      levels: [],
      log: true,
      tick: (x) => (x === lengths.at(-1) ? t("all") : String(x)),
      across: single ? t("characters given, before “{character}”", { character: mark(tokens[state.at]) }) : t("characters given before each one"),
      at,
      spoken: `${given}: ${this.curves.map(({ network, ys }) => `${network.name} ${ys[at].toFixed(2)}`).join(", ")}`,
    });
    const head = [t("network"), t("bits, given {what}", { what: given }), t("bits, given the whole text"), single ? "" : t("stops gaining at, characters")].filter(Boolean);
    const rows = this.curves.map(({ network, place, ys }) =>
      make(
        "tr", {},
        make("th", { scope: "row" }, badge(place), " ", network.name),
        make("td", { class: "num" }, ys[at].toFixed(2)),
        make("td", { class: "num" }, ys.at(-1).toFixed(2)),
        ...(single ? [] : [make("td", { class: "num" }, reachWords(lengths, reach(lengths, ys)))]),
      ),
    );
    this.table.replaceChildren(
      make("table", {}, make("thead", {}, make("tr", {}, ...head.map((words) => make("th", { scope: "col" }, words)))), make("tbody", {}, ...rows)),
      make("p", { class: "note" }, single ? t("Where a line falls, the characters that were just given told the network something about this one.") : t("Stops gaining: from there on the mean stays within 0.05 bits of what it is with the whole text. Each is read as if the text began there.")),
    );
  }
}
