/**
 * A recurrent, a convolutional and a self-attending layer over one sequence: the path between two
 * places of it, what the layers cost by formula, and the time that each takes on the server now.
 *
 * Options: text; from, to: two places of it; step: steps that are done, 0 all; dilated; width d and
 * length n of the layers that are measured; show: paths, costs or both.
 * Values for exercises: `path.<kind>`, `steps.<kind>`, `bare.<kind>`, `cost.<kind>`, `ratio` (attention
 * to recurrent, all counted), `ms.<kind>`, `from`, `to`, `width`, `length`, `dilated`.
 */

import { timings } from "../../api.js";
import { onRestyle } from "../../color.js";
import { svg } from "../../decoder/svg.js";
import { make, pageData, short, t } from "../../words.js";
import { CostChart, costMark } from "../cost-chart.js";
import { bare, KERNEL, KINDS, multiplyAdds, pathLength, steps } from "../layer-costs.js";
import { PathDrawing } from "../path-drawing.js";

const WIDTHS = [16, 32, 64, 128, 256];
const LENGTHS = [16, 32, 64, 128, 256, 512, 1024, 2048];
const REST = 350; // ms after the last move of a slider before the server measures
const USUAL = { text: "the keys to the cabinet are", from: 4, to: 26, step: 0, dilated: true, width: 64, length: 256, show: ["paths", "costs"] };
const FORMULAS = {
  recurrent: ["n·d²", "8·n·d²"],
  convolution: [`${KERNEL}·n·d²`, `${KERNEL}·n·d²`],
  attention: ["n²·d", "4·n·d² + 2·n²·d"],
};

export async function mount(stage, options, figure) {
  const view = new ThreeWays(stage, { ...USUAL, ...options }, figure);
  if (view.costs) await view.measure();
  view.draw();
  return view;
}

class ThreeWays {
  constructor(stage, options, figure) {
    const { text, show, ...state } = options;
    Object.assign(this, { figure, state, characters: Array.from(text), drawings: [], fields: {} });
    const n = this.characters.length;
    for (const name of ["from", "to"]) state[name] = Math.max(0, Math.min(n - 1, state[name]));
    if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
    if (!WIDTHS.includes(state.width)) state.width = USUAL.width;
    if (!LENGTHS.includes(state.length)) state.length = USUAL.length;
    this.root = make("div", { class: `tw${show.length > 1 ? " both" : ""}` });
    if (show.includes("paths")) this.root.append(this.paths(n));
    if (show.includes("costs")) this.root.append(this.costPanel());
    stage.replaceChildren(this.root);
    new ResizeObserver(() => this.draw()).observe(this.root);
    onRestyle(() => this.draw());
  }

  paths(n) {
    const place = make("div", { class: "tw-ways" });
    this.drawings = KINDS.map((kind) => new PathDrawing(kind, place, (at) => this.move(at)));
    const box = make("input", { type: "checkbox" });
    box.checked = this.state.dilated;
    box.addEventListener("change", () => this.set({ dilated: box.checked }));
    const controls = make(
      "div", { class: "option-row tw-controls" },
      this.slider("from", t("from place"), 0, n - 1), this.slider("to", t("to place"), 0, n - 1),
      this.slider("step", t("steps done"), 1, n, (s) => s || n),
      make("label", {}, box, t("dilated convolutions")),
    );
    return make("div", { class: "tw-left" }, controls, place);
  }

  costPanel() {
    const of = (list, name) => [0, list.length - 1, (v) => list.indexOf(v), (k) => list[k], name];
    this.cards = make("div", { class: "tw-cards" });
    const plot = make("div", { class: "tw-chart-place" });
    this.costs = new CostChart(plot);
    this.note = make("p", { class: "note", role: "status" });
    this.again = make("button", { class: "button", type: "button" }, t("measure again"));
    this.again.addEventListener("click", () => this.measure());
    const controls = make("div", { class: "option-row tw-controls" }, this.slider("length", t("length n"), ...of(LENGTHS)), this.slider("width", t("width d"), ...of(WIDTHS)), this.again);
    return make("div", { class: "tw-right" }, controls, this.cards, plot, this.note);
  }

  /** A range of the state; `to` and `from` turn a value into a place of the slider and back. */
  slider(name, label, min, max, to = (v) => v, from = (v) => v) {
    const input = make("input", { type: "range", min: String(min), max: String(max), step: "1", "aria-label": label });
    const out = make("output", { class: "num" });
    input.addEventListener("input", () => this.set({ [name]: from(Number(input.value)) }));
    this.fields[name] = () => {
      input.value = String(to(this.state[name]));
      out.textContent = String(from(to(this.state[name])));
      input.setAttribute("aria-valuetext", out.textContent);
    };
    return make("label", {}, label, input, out);
  }

  /** A click takes the nearer of the two ends along. */
  move(place) {
    const { from, to } = this.state;
    this.set(Math.abs(place - from) < Math.abs(place - to) ? { from: place } : { to: place });
  }

  set(change) {
    const { state } = this;
    Object.assign(state, change);
    if (state.from > state.to) {
      if ("from" in change) state.to = state.from;
      else state.from = state.to;
    }
    const kept = { ...change };
    if ("from" in change || "to" in change) Object.assign(kept, { from: state.from, to: state.to });
    this.figure.keep(kept);
    this.draw();
    if (!("width" in change)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.measure(), REST);
  }

  async measure() {
    const { width } = this.state;
    this.again.disabled = true;
    this.root.classList.add("waiting");
    this.note.textContent = t("The server is measuring …");
    try {
      const found = await timings(width);
      if (width === this.state.width) this.found = found;
      this.failed = "";
    } catch (error) {
      this.failed = error.code === "connection" ? t("The server cannot be reached.") : error.message;
    }
    if (width !== this.state.width) return; // the reader has gone on, and is being answered
    this.again.disabled = false;
    this.root.classList.remove("waiting");
    this.draw();
  }

  draw() {
    const { state, characters, drawings } = this;
    for (const show of Object.values(this.fields)) show();
    const shown = { ...state, step: state.step || characters.length };
    if (this.root.clientWidth) for (const drawing of drawings) drawing.draw(characters, shown);
    if (this.costs) {
      this.cards.replaceChildren(...KINDS.map((kind) => this.card(kind)));
      if (this.found && this.root.clientWidth) this.costs.draw(this.found, state);
      this.tell();
    }
    this.figure.changed();
  }

  /** One layer in numbers. */
  card(kind) {
    const { length: n, width: d } = this.state;
    const number = (value) => new Intl.NumberFormat(pageData.language).format(value);
    const [short1, whole] = FORMULAS[kind];
    const ms = this.milliseconds(kind);
    const rows = [
      [t("in the table"), short1, number(bare(kind, n, d))],
      [t("all multiply-adds"), whole, number(multiplyAdds(kind, n, d))],
      [t("steps that wait"), kind === "recurrent" ? "n" : "1", kind === "recurrent" ? number(n) : ""],
      [t("longest path"), { recurrent: "n", convolution: `log${"₃"} n`, attention: "1" }[kind], kind === "attention" ? "" : number(steps(kind, n, true))],
      [t("measured"), "", ms === null ? "—" : `${short(ms)} ${t("ms")}`],
    ];
    const sign = svg("svg", { viewBox: "0 0 34 14", width: 34, height: 14, "aria-hidden": "true" }, svg("path", { class: `tw-curve of-${kind}`, d: "M0 7H34" }), costMark(kind, 17, 7, 4));
    const list = rows.map(([name, formula, value]) => make("div", {}, make("dt", {}, name), make("dd", { class: "num" }, formula, formula && value ? " = " : "", make("b", {}, value))));
    return make("div", { class: `tw-card of-${kind}` }, make("p", { class: "tw-name" }, sign, t(`layer ${kind}`)), make("dl", {}, ...list));
  }

  milliseconds(kind) {
    const { found, state } = this;
    return found?.width === state.width ? (found.layers[kind].milliseconds[found.lengths.indexOf(state.length)] ?? null) : null;
  }

  tell() {
    const { found, failed } = this;
    this.note.classList.toggle("broken", Boolean(failed));
    if (failed) this.note.textContent = failed;
    if (failed || !found || this.root.classList.contains("waiting")) return;
    const where = found.device === "cpu" ? t("on its CPU (threads: {n})", { n: found.threads }) : t("on its GPU");
    const cross = found.crossing ? t("From about n = {n} on, attention takes longer than the LSTM.", { n: Math.round(found.crossing) }) : t("The two curves do not cross as far as they were measured.");
    const cut = KINDS.some((kind) => found.layers[kind].milliseconds.includes(null)) ? ` ${t("Where a line ends early, the second that all measurements may take was over.")}` : "";
    this.note.textContent = `${t("Measured just now by this server, {where}: one sequence, the median of a few runs. The weights are drawn at random: a time does not depend on what was learned.", { where })} ${cross}${cut}`;
  }

  values() {
    const { state, characters } = this;
    const { from, to, dilated, width, length } = state;
    const found = { from, to, width, length, dilated: Number(dilated) };
    for (const kind of KINDS) {
      found[`path.${kind}`] = pathLength(kind, to - from, dilated);
      found[`steps.${kind}`] = steps(kind, characters.length, dilated);
      found[`bare.${kind}`] = bare(kind, length, width);
      found[`cost.${kind}`] = multiplyAdds(kind, length, width);
      const ms = this.milliseconds(kind);
      if (ms !== null) found[`ms.${kind}`] = ms;
    }
    found.ratio = found["cost.attention"] / found["cost.recurrent"];
    return found;
  }
}
