/**
 * The stream of one token through one block of a transformer, with the numbers of the checkpoint:
 * what attention reads and adds, what the MLP reads and adds, all units as a strip each and one of
 * them as arithmetic; below, what would be said next after each block.
 *
 * Options: checkpoint (one stack that predicts the next token); text; layer; unit; at: the token, -1
 * for the last.
 * Values for exercises: before, attended, middle, mlp, after: of the unit; size_ and the same: length
 * of the whole vector; ratio: size_mlp / size_attended; grows: size_after - size_before; top: probability of the best guess after the
 * block; next: that of the character which follows in the text (NaN at the last), after the last
 * block; layer, at, unit.
 */

import { slices } from "../../api.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { sliced } from "../../transformer/sliced.js";
import { sizes } from "../../transformer/measures.js";
import { make, mark, percent, short, spoken, t } from "../../words.js";
import { BlockDrawing } from "../block-drawing.js";
import { labLink, ready } from "../checkpoint.js";
import { whenTyped } from "../typing.js";

const REST = 400; // ms after typing before the text is read
const LONGEST = 80; // characters
const GUESSES = 4; // likeliest characters after each block
const FEW = 2; // of them where there is little room
const NARROW = 640; // css px, without the page's scale

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new BlockView(stage, { text: about.prompt ?? "", layer: 0, unit: 0, at: -1, ...options }, figure, about);
  await view.read();
  return view;
}

class BlockView {
  constructor(stage, options, figure, about) {
    Object.assign(this, { stage, figure, about, state: { ...options } });
    this.layers = about.config.num_layers;
    this.units = about.config.hidden_size;
    this.state.layer = Math.max(0, Math.min(this.layers - 1, this.state.layer));
    const field = make("input", { class: "field num text", type: "text", value: options.text.replaceAll("\n", "↵"), maxlength: String(LONGEST), spellcheck: "false", autocomplete: "off", "aria-label": t("the text that is read") });
    whenTyped(field, REST, () => field.value && this.set({ text: field.value.replaceAll("↵", "\n"), at: -1 }, true));
    this.layerList = make("select", { class: "plain", "aria-label": t("layer") }, ...Array.from({ length: this.layers }, (_, k) => make("option", { value: String(k) }, t("block {n}", { n: k }))));
    this.layerList.addEventListener("change", () => this.set({ layer: Number(this.layerList.value) }, true));
    this.unitField = make("input", { class: "field num", type: "number", min: "0", max: String(this.units - 1), "aria-label": t("unit") });
    this.unitField.addEventListener("change", () => this.set({ unit: Math.max(0, Math.min(this.units - 1, Math.round(Number(this.unitField.value)) || 0)) }));
    this.strip = make("div", { class: "block-strip num", tabindex: "0", role: "slider", "aria-label": t("current character") });
    this.strip.addEventListener("click", (event) => {
      const one = event.target.closest("[data-t]");
      if (one) this.set({ at: Number(one.dataset.t) }, true);
    });
    this.strip.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: this.tokens.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.set({ at: Math.max(0, Math.min(this.tokens.length - 1, to)) }, true);
    });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.drawing = new BlockDrawing((unit) => this.set({ unit }));
    this.sums = make("div", { class: "block-sums", role: "status" });
    this.table = make("table", { class: "block-lens" });
    const lab = labLink(about);
    const pick = make("span", { class: "block-pick" }, this.layerList, make("label", {}, `${t("unit")} `, this.unitField));
    stage.replaceChildren(make("div", { class: "block-head" }, field, pick, lab), this.problem, this.strip, this.drawing.node, make("div", { class: "block-under" }, this.sums, make("div", { class: "block-lens-host" }, this.table)));
    onRestyle(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(stage);
  }

  get at() {
    const last = (this.tokens?.length ?? 1) - 1;
    return this.state.at < 0 ? last : Math.min(this.state.at, last);
  }

  set(change, read = false) {
    Object.assign(this.state, change);
    this.figure.keep(change);
    if (read) this.read();
    else this.draw();
  }

  /** Read the text; only what belongs to the token and the block that are looked at is sent. */
  async read() {
    const { text, layer } = this.state;
    this.aborter?.abort();
    this.aborter = new AbortController();
    const length = Array.from(text).length;
    const time = this.state.at < 0 ? length - 1 : Math.min(this.state.at, length - 1);
    const P = `blocks.${layer}`;
    const at = { time };
    const parts = ["read", "attended", "middle", "mlp.read", "mlp", "residual"].map((name) => ({ point: `${P}.${name}`, at }));
    const before = { point: layer ? `blocks.${layer - 1}.residual` : "embedding", at };
    const lens = ["embedding.lens", "blocks.*.lens"];
    try {
      const found = await slices(this.about.id, { text, slices: [before, ...parts, ...lens.map((point) => ({ point, at, top: GUESSES })), ...lens.map((point) => ({ point, at })), { point: "blocks.*.residual", at }, { point: "embedding", at }] }, this.aborter.signal);
      const [x, read, attended, middle, mlpRead, mlp, after, first, rest, allFirst, allRest, stream, embedding] = found.slices.map(sliced);
      this.tokens = found.tokens;
      this.parts = { before: x.data, read: read.data, attended: attended.data, middle: middle.data, mlp_read: mlpRead.data, mlp: mlp.data, after: after.data };
      const following = found.token_ids[time + 1];
      const V = this.about.config.vocab_size;
      this.guesses = Array.from({ length: this.layers + 1 }, (_, row) => {
        const [from, all, k] = row ? [rest, allRest, row - 1] : [first, allFirst, 0];
        return {
          best: Array.from({ length: GUESSES }, (_, n) => ({ token: from.tokens[k * GUESSES + n], share: from.data[k * GUESSES + n] })),
          follows: following === undefined ? NaN : all.data[k * V + following],
          size: sizes(row ? stream.data : embedding.data, this.units)[k],
        };
      });
      this.problem.textContent = "";
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.problem.textContent = inOneLine(error);
    }
  }

  values() {
    if (!this.parts) return {};
    const { layer, unit } = this.state;
    const found = { layer, unit, at: this.at };
    for (const [name, values] of Object.entries(this.parts)) {
      found[name] = values[unit];
      found[`size_${name}`] = sizes(values, this.units)[0];
    }
    found.ratio = found.size_mlp / found.size_attended;
    found.grows = found.size_after - found.size_before;
    found.top = this.guesses[layer + 1].best[0].share;
    found.next = this.guesses[this.layers].follows;
    return found;
  }

  draw() {
    if (!this.parts) return;
    const { state, at } = this;
    this.layerList.value = String(state.layer);
    this.unitField.value = String(state.unit);
    this.strip.replaceChildren(...this.tokens.map((token, k) => make("span", { "data-t": String(k), class: k === at ? "here" : k > at ? "later" : "" }, mark(token))));
    for (const [name, value] of [["min", 0], ["max", this.tokens.length - 1], ["now", at], ["text", `${t("step {n}", { n: at })}, ${spoken(this.tokens[at])}`]]) this.strip.setAttribute(`aria-value${name}`, String(value));
    const values = this.values();
    this.drawing.show(this.parts, state.unit, state.layer);
    const number = (value, letter, open = false) => make("span", { class: `num q-${letter}` }, open && value < 0 ? `(${fixed(value)})` : fixed(value));
    const sum = (words, one, two, letter, out) => make("p", {}, make("span", {}, words), make("span", {}, number(one, "h"), " + ", number(two, letter, true), " = ", number(out, "h")));
    this.sums.replaceChildren(
      make("p", { class: "quiet" }, t("unit {unit} in numbers", { unit: state.unit })),
      sum(t("the stream and what attention adds"), values.before, values.attended, "attention", values.middle),
      sum(t("the stream and what the MLP adds"), values.middle, values.mlp, "g", values.after),
    );
    this.drawTable();
    this.figure.changed();
  }

  drawTable() {
    const following = this.tokens[this.at + 1];
    const scale = parseFloat(getComputedStyle(this.stage).getPropertyValue("--scale")) || 1;
    const shown = this.stage.clientWidth / scale < NARROW ? FEW : GUESSES;
    const cell = ({ token, share }) => make("td", { class: token === following ? "follows" : "" }, make("span", { class: "num token" }, mark(token)), " ", make("span", { class: "num" }, percent(share)));
    const head = [t("after"), t("size |x|"), t("would be said next")];
    this.table.replaceChildren(
      make("thead", {}, make("tr", {}, ...head.map((words, k) => make("th", k === 2 ? { scope: "col", colspan: String(shown) } : { scope: "col" }, words)), ...(following === undefined ? [] : [make("th", { scope: "col" }, t("comes: {token}", { token: mark(following) }))]))),
      make("tbody", {}, ...this.guesses.map(({ best, follows, size }, row) => make("tr", { class: row - 1 === this.state.layer ? "chosen" : "" },
        make("th", { scope: "row" }, row ? t("block {n}", { n: row - 1 }) : t("embedding")), make("td", { class: "num" }, short(size)), ...best.slice(0, shown).map(cell), ...(following === undefined ? [] : [make("td", { class: "num" }, percent(follows))])))),
    );
  }
}

/** Two decimals with a real minus sign: numbers that are added are rounded alike. */
function fixed(value) {
  return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;
}
