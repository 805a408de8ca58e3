/**
 * A language model writes on after the text: tokens with their probabilities, the map of the
 * chosen head growing row by row; a token is exchanged for another and the text goes on from it.
 */

import { attentionRamp } from "../color.js";
import { paper, scaleOf } from "../exports.js";
import { inWords } from "../problem.js";
import { make, percent, t } from "../words.js";
import { labelOf, labelsOf, spellingOf, told } from "./labels.js";
import { provide, titleOf } from "./saver.js";
import { View } from "./view.js";
import { WritingMap } from "./writing-map.js";
import { WritingTokens } from "./writing-tokens.js";
import { WrittenText } from "./written-text.js";

const DEFAULTS = { count: 40, temperature: 0.8, top_k: 0, seed: 7 };
const NAMES = Object.keys(DEFAULTS);

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  return new Writing(store, element);
}

class Writing extends View {
  constructor(store, host) {
    super(store, host);
    this.written = new WrittenText(store.about);
    this.over = this.chosen = -1;
    this.build();
    this.restore();
    const { written } = this;
    for (const type of ["change", "state"]) written.addEventListener(type, () => this.wake());
    written.addEventListener("problem", () => written.error && store.problem(written.error));
    store.addEventListener("read", () => this.arrived());
    store.addEventListener("select", () => this.selected());
    store.addEventListener("edit", () => this.wake());
    provide("writing", { figure: () => this.figure(), rows: () => this.rows() });
  }

  build() {
    const button = (text, action, kind = "button small") => {
      const node = make("button", { type: "button", class: kind }, text);
      node.addEventListener("click", action);
      return node;
    };
    this.writeButton = button(t("write"), () => this.write(), "button primary small");
    this.stopButton = button(t("stop writing"), () => this.written.stop(), "button primary small");
    this.stopButton.hidden = true; // until it writes, also before this figure has been in sight
    this.oneMore = button(t("one more"), () => this.more(1));
    this.oneBack = button(t("one back"), () => this.cut(this.written.tokens.length - 1));
    this.readAbove = button(t("read it above"), () => this.store.set({ text: this.written.text(), query: -1 }));
    const field = (name, label, attributes) => {
      const input = make("input", { type: "number", class: "field num", autocomplete: "off", ...attributes });
      input.addEventListener("change", () => this.save());
      this.fields[name] = input;
      return make("label", {}, label, " ", input);
    };
    this.fields = {};
    this.pace = make("select", { class: "plain", autocomplete: "off" }, ...[["0", "as it comes"], ["2", "2 a second"], ["8", "8 a second"]].map(([value, text]) => make("option", { value }, t(text))));
    this.pace.addEventListener("change", () => (this.written.pace = Number(this.pace.value)));
    this.note = make("p", { class: "note", role: "status" });
    this.tokensHost = make("div", { class: "written" });
    this.nothing = make("p", { class: "note writing-nothing" }, t("Press Write: it goes on after the text above."));
    this.choices = make("div", { class: "alternatives" });
    const mapHost = make("div", { class: "writing-map" });
    this.host.append(
      make("div", { class: "writing-bar" }, make("span", { class: "writing-buttons" }, this.writeButton, this.stopButton, this.oneMore, this.oneBack, this.readAbove),
        make("span", { class: "option-row" },
          field("count", t("tokens"), { min: "1", max: "500", step: "1" }),
          field("temperature", t("temperature"), { min: "0.05", max: "5", step: "0.05" }),
          field("top_k", "top-k", { min: "0", step: "1", title: t("drawn among so many of the likeliest; 0: among all") }),
          field("seed", t("seed"), { min: "0", step: "1" }),
          make("label", {}, t("pace"), " ", this.pace))),
      make("div", { class: "writing-body" }, make("div", { class: "writing-text" }, this.nothing, this.tokensHost, this.choices, this.note), mapHost));
    const options = { onPoint: (k) => this.point(k), onChoose: (k) => this.choose(k) };
    this.tokens = new WritingTokens(this.tokensHost, this.written, options);
    this.map = new WritingMap(mapHost, options);
  }

  // The reader's hands.

  get options() {
    const found = {};
    for (const name of NAMES) {
      const { value, min, max } = this.fields[name];
      const number = value.trim() === "" || !Number.isFinite(Number(value)) ? DEFAULTS[name] : Number(value);
      found[name] = Math.max(Number(min || 0), Math.min(Number(max || Infinity), number));
      if (name !== "temperature") found[name] = Math.round(found[name]);
    }
    return found;
  }

  get look() {
    const { layer, edits } = this.store.state;
    return { layer, heads_off: edits.heads_off };
  }

  write() {
    this.chosen = -1;
    this.start(this.store.state.text, this.options);
  }

  start(prefix, options) {
    if (!prefix) return;
    const room = this.store.about.config.context - (this.store.reading?.tokens.length ?? 0);
    const count = Math.max(1, Math.min(options.count, room));
    this.asked = { prefix, options: { ...options, count }, look: this.look };
    this.written.write(prefix, this.asked.options, this.look);
    this.save(true);
    this.wake();
  }

  /** Go on from what is there. */
  more(count) {
    const prefix = this.written.text() || this.store.state.text;
    this.start(prefix, { ...this.options, count });
  }

  cut(count) {
    if (count < 1) return;
    this.written.cut(count);
    this.choose(-1);
  }

  point(k) {
    this.over = k;
    this.wake();
  }

  choose(k) {
    this.chosen = k === this.chosen ? -1 : k;
    this.offered = null;
    this.wake();
  }

  /** Another token in place of one that was written; the text goes on from it. */
  fork(k, token) {
    const prefix = this.written.text(k) + token;
    this.chosen = -1;
    this.start(prefix, this.options);
  }

  /** Another layer: the same is written again, as the seed and the text say, and its heads shown. */
  selected() {
    const { layer } = this.store.state;
    const { written, asked } = this;
    if (written.tokens.length && asked && asked.look.layer !== layer) {
      const drawn = written.tokens.filter(({ prefix }) => !prefix).length;
      const options = written.busy ? asked.options : { ...asked.options, count: Math.max(1, drawn) };
      this.asked = { ...asked, options, look: { ...asked.look, layer } };
      written.write(asked.prefix, options, this.asked.look);
    }
    this.wake();
  }

  // The address.

  save(wrote = this.asked !== undefined) {
    const { options } = this;
    const own = NAMES.map((name) => options[name]);
    const plain = NAMES.every((name) => options[name] === DEFAULTS[name]);
    this.store.keep("writing", wrote ? [...own, "w"].join("_") : plain ? "" : own.join("_"));
  }

  restore() {
    const parts = String(this.store.kept("writing") ?? "").split("_");
    NAMES.forEach((name, k) => (this.fields[name].value = String(parts[k] && Number.isFinite(Number(parts[k])) ? Number(parts[k]) : DEFAULTS[name])));
    this.wanted = parts[NAMES.length] === "w";
  }

  /** The text was read: what was written after another means nothing any more. */
  arrived() {
    const { store, written } = this;
    if (store.reading && this.wanted) {
      this.wanted = false;
      this.write();
    } else if (this.asked && this.textOf !== store.state.text && written.text() !== store.state.text) {
      written.stop();
      written.clear();
      this.asked = undefined;
      this.save(false);
    }
    this.textOf = store.state.text;
    this.wake();
  }

  // Drawing.

  restyle() {
    this.tokens.restyle();
    this.offered = null;
    this.wake();
  }

  draw(now) {
    const { written, store, map } = this;
    const more = written.busy && written.pump(now - (this.last ?? now));
    this.last = written.busy ? now : undefined;
    const { tokens, busy } = written;
    const { layer, head } = store.state;
    this.writeButton.hidden = busy;
    this.stopButton.hidden = !busy;
    this.oneMore.disabled = busy || !store.reading;
    this.oneBack.disabled = !tokens.length || tokens.at(-1).prefix;
    this.readAbove.hidden = !tokens.length || busy;
    this.nothing.hidden = tokens.length > 0 || busy;
    map.host.hidden = !tokens.length;
    const row = (k) => (written.layer === layer ? written.row(k, head) : null);
    const shown = this.over >= 0 ? this.over : this.chosen;
    this.tokens.draw({ over: shown, chosen: this.chosen, row });
    let young = false;
    if (tokens.length) {
      if (this.labelled !== tokens || this.labels.length !== tokens.length) {
        this.labelled = tokens;
        this.labels = labelsOf(tokens.map(({ token }) => token));
      }
      young = map.draw({ labels: this.labels, row, over: shown, title: t("layer {layer}, head {head}", { layer, head }), now, busy });
    }
    this.offer();
    this.note.textContent = this.words();
    return more || young;
  }

  /** What could have stood at the chosen token. */
  offer() {
    const { written, chosen } = this;
    const token = written.tokens[chosen];
    this.choices.hidden = !token || !token.top.length || written.busy;
    if (this.choices.hidden || this.offered === token) return;
    this.offered = token;
    const pieces = spellingOf(written.tokens.map((one) => one.token));
    const before = written.tokens[chosen - 1]?.token;
    const buttons = token.top.map((one) => {
      const share = make("span", { class: "num" }, percent(one.probability));
      const button = make("button", { type: "button", class: "alternative", "aria-label": `${told(one.token)}: ${percent(one.probability)}. ${t("go on from it")}` }, make("b", {}, labelOf(one.token, before, pieces)), share);
      button.classList.toggle("chosen", one.token === token.token);
      button.addEventListener("click", () => this.fork(chosen, one.token));
      return button;
    });
    const cut = make("button", { type: "button", class: "plain" }, t("cut the text before it"));
    cut.addEventListener("click", () => this.cut(chosen));
    this.choices.replaceChildren(make("p", { class: "note" }, t("Instead of “{token}”: choose one and it goes on from there.", { token: labelOf(token.token, before, pieces) })), make("div", { class: "alternative-row" }, ...buttons, cut));
  }

  words() {
    const { edits } = this.store.state;
    const { asked, written } = this;
    const facts = [];
    if (written.error) facts.push(inWords(written.error).join(" "));
    if (asked && !written.busy && asked.look.heads_off.join() !== edits.heads_off.join()) facts.push(t("The heads that are on have changed since: press Write to see what it writes now."));
    if (edits.blocked.length || edits.order.length || !edits.positions) facts.push(t("Of your changes only switched-off heads count here: it writes with its own mask, order and positions."));
    return facts.join(" ");
  }

  figure() {
    const { written, labels, store } = this;
    const { layer, head } = store.state;
    const n = written.tokens.length;
    const z = Array.from({ length: n }, (_, k) => Array.from({ length: n }, (_, j) => written.row(k, head)?.[j] ?? null));
    const axis = { tickvals: z.map((_, k) => k), ticktext: labels ?? [], showgrid: false, zeroline: false, automargin: true };
    return {
      data: [{ type: "heatmap", z, zmin: 0, zmax: 1, colorscale: scaleOf(attentionRamp()), colorbar: { thickness: 12, outlinewidth: 0 } }],
      layout: { ...paper(titleOf(store, t("layer {layer}, head {head}", { layer, head })), Math.max(640, 220 + 18 * n), Math.max(520, 200 + 18 * n)), xaxis: axis, yaxis: { ...axis, autorange: "reversed" } },
    };
  }

  rows() {
    const { written, store } = this;
    const { head } = store.state;
    const n = written.tokens.length;
    return [
      ["step", "token", "given", "probability", ...Array.from({ length: n }, (_, k) => `attention[${k}]`)],
      ...written.tokens.map(({ token, prefix, probability }, k) => [k, token, prefix ? 1 : 0, probability ?? "", ...Array.from({ length: n }, (_, j) => written.row(k, head)?.[j] ?? "")]),
    ];
  }
}
