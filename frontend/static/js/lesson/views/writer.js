/**
 * A network that writes: a beginning, temperature, top-k and a seed, and the distribution of the
 * next character before and after them.
 *
 * Options: checkpoints (ids; or checkpoint, one), chosen: the one to begin with, prefix ("": the
 * checkpoint's own), temperature, top_k, seed, length, auto: write at once (default), at: the place
 * whose distribution is shown.
 * Values for exercises, of that distribution: `entropy` in bits after temperature and top-k,
 * `entropy_before`, `top` and `top_before`: the share of the likeliest, `kept`: characters that can
 * be drawn, `covered`: the share that those had before; `temperature`, `top_k`, `written`.
 */

import { ApiError, checkpoint, generate, trace } from "../../api.js";
import { decode } from "../../arrays.js";
import { hue, onRestyle, sequential } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { make, mark, pageData, percent, short, spoken, t } from "../../words.js";
import { ColouredText } from "../coloured-text.js";
import { entropy, reshape } from "../distribution.js";
import { whenTyped } from "../typing.js";

const ROWS = 10;
const REST = 300; // ms after typing
const DEEPEST = 180; // of 255: ink stays readable on a share of 1
const HOTTEST = 3;

export async function mount(stage, options, figure) {
  const ids = options.checkpoints ?? [options.checkpoint];
  const usual = { chosen: ids[0], prefix: "", temperature: 0.8, top_k: 0, seed: 7, length: 200, auto: true, at: -1 };
  const view = new Writer(stage, { ...usual, ...options }, figure, ids);
  await view.open();
  if (view.options.auto) view.write();
  return view;
}

class Writer {
  constructor(stage, options, figure, ids) {
    Object.assign(this, { figure, options, ids });
    const { chosen, prefix, temperature, top_k, seed, length, at } = options;
    Object.assign(this, { chosen, prefix, temperature, top_k, seed, length, at, tokens: [], shares: null });
    this.build(stage);
    onRestyle(() => {
      this.paint();
      this.draw();
    });
  }

  build(stage) {
    this.choice = make("select", { class: "plain", "aria-label": t("network") });
    this.choice.hidden = this.ids.length < 2;
    this.choice.addEventListener("change", () => this.change(this.choice.value));
    this.link = make("a", { class: "quieter" });
    this.field = make("input", { class: "field num text", type: "text", spellcheck: "false", autocomplete: "off", "aria-label": t("how the text begins") });
    whenTyped(this.field, REST, () => this.begin(this.field.value));
    this.button = make("button", { class: "button primary", type: "button" }, t("write"));
    this.button.addEventListener("click", () => (this.abort ? this.stop() : this.write()));
    const seed = make("input", { class: "field num", type: "number", min: "0", step: "1", value: String(this.seed) });
    seed.addEventListener("change", () => this.set({ seed: (this.seed = Math.max(0, Math.round(Number(seed.value)) || 0)) }));
    const dice = make("button", { class: "plain", type: "button", "aria-label": t("another seed"), title: t("another seed") }, "⟳");
    dice.addEventListener("click", () => {
      seed.value = String((this.seed = Math.floor(Math.random() * 10000)));
      this.set({ seed: this.seed });
    });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.text = new ColouredText({ label: t("the text: a written character shows what it was drawn from"), onGo: (at) => this.look(at) });
    this.text.node.classList.add("written");
    this.bars = make("ol", { class: "writer-bars" });
    this.place = make("p", { class: "note" });
    this.facts = make("p", { class: "note num", role: "status" });
    stage.replaceChildren(
      make("div", { class: "unit-head" }, this.choice, this.field, this.button, make("label", {}, `${t("seed")} `, seed, dice), this.link),
      this.problem,
      make("div", { class: "writer-body" },
        make("div", { class: "writer-text" }, this.text.node),
        make("div", {}, this.slider("temperature", 0.1, HOTTEST, 0.05), this.slider("top_k", 0, 30, 1),
          this.place, make("div", { class: "writer-key quiet" }, make("i", { class: "before" }), t("as the network has it"), " ", make("i", { class: "after" }), t("what is drawn from")), this.bars, this.facts)),
    );
  }

  slider(name, min, max, step) {
    const said = make("output", { class: "num" });
    const input = make("input", { type: "range", min: String(min), max: String(max), step: String(step), value: String(this[name]), "aria-label": t(name) });
    const tell = () => (said.textContent = name === "top_k" && !this.top_k ? t("all") : String(this[name]));
    input.addEventListener("input", () => {
      this[name] = Number(input.value);
      tell();
      this.draw();
      this.set({ [name]: this[name] });
    });
    tell();
    return make("label", { class: "writer-slider" }, make("span", {}, t(name)), input, said);
  }

  set(change) {
    this.figure.keep(change);
  }

  async open() {
    const all = await Promise.all(this.ids.map((id) => checkpoint(id)));
    this.about = new Map(all.map((about) => [about.id, about]));
    this.choice.replaceChildren(...all.map(({ id, title }) => make("option", { value: id }, title || id)));
    await this.change(this.chosen, this.prefix, false);
  }

  async change(id, prefix = "", keep = true) {
    this.stop();
    const about = this.about.get(id);
    if (about.status !== "ready") throw new Error(about.reason || about.status);
    this.chosen = this.choice.value = id;
    this.link.href = `/${pageData.language}/lab/${id}`;
    this.link.textContent = this.ids.length > 1 ? t("its lab") : about.title || id;
    this.field.value = prefix || about.prompt || "";
    if (keep) this.set({ chosen: id, prefix: "" });
    await this.begin(this.field.value, false, keep ? -1 : this.at);
    if (keep && this.options.auto) this.write();
  }

  /** A new beginning: nothing is written behind it. */
  async begin(prefix, keep = true, at = -1) {
    this.stop();
    this.given = Array.from(prefix);
    this.tokens = this.given.map((token) => ({ token, probability: null }));
    this.show();
    if (keep) this.set({ prefix, at: -1 });
    await this.look(at < 0 ? this.given.length : Math.min(at, this.given.length), false);
  }

  async write() {
    const { chosen, temperature, top_k, seed, length, given } = this;
    if (!given.length) return;
    const abort = (this.abort = new AbortController());
    this.tokens.length = given.length;
    this.show();
    this.button.textContent = t("stop");
    this.problem.textContent = "";
    const body = { prefix: given.join(""), max_new_tokens: length, temperature, top_k, seed, points: [], start: given.length };
    try {
      await generate(chosen, body, abort.signal, (event, data) => {
        if (abort !== this.abort) return;
        if (event === "step") this.add(JSON.parse(data));
        if (event === "error") throw new ApiError(JSON.parse(data).error);
      });
    } catch (error) {
      if (error.name !== "AbortError") this.tell(error);
    }
    if (abort === this.abort) this.stop();
  }

  add({ token, probability }) {
    this.tokens.push({ token, probability });
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.show();
      this.text.node.scrollTop = this.text.node.scrollHeight;
      this.figure.changed();
    });
  }

  stop() {
    this.abort?.abort();
    this.abort = null;
    this.button.textContent = t("write");
    this.figure.changed();
  }

  tell(error) {
    this.problem.textContent = inOneLine(error);
  }

  show() {
    this.text.set([...this.tokens.map(({ token }) => token), ""]); // the last: what comes next
    this.text.show(this.at);
    this.paint();
  }

  paint() {
    const ramp = sequential(hue("y")).css;
    this.text.paint((at) => {
      const share = this.tokens[at]?.probability;
      return share === null || share === undefined ? null : ramp[Math.round(DEEPEST * share)];
    });
    this.text.spans.forEach((span, at) => span.classList.toggle("given", at < this.given.length));
  }

  /** Show the distribution of the character at a place, from all that stands before it. */
  async look(at, keep = true) {
    if (at < 1) at = Math.min(1, this.tokens.length); // nothing comes before the first
    this.at = at;
    this.text.show(at);
    if (keep) this.set({ at: at <= this.given.length ? at : -1 });
    const before = this.tokens.slice(0, at).map(({ token }) => token).join("");
    if (!before) return;
    this.asked = before;
    try {
      const found = await trace(this.chosen, { text: before, points: [], start: at - 1, top: 1024 });
      if (this.asked !== before) return;
      this.symbols = found.next.tokens[0];
      this.shares = decode(found.next.probabilities);
      this.problem.textContent = "";
      this.draw();
      this.figure.changed();
    } catch (error) {
      this.tell(error);
    }
  }

  draw() {
    if (!this.shares) return;
    const { shares, symbols, temperature, top_k, at, tokens } = this;
    this.after = reshape(shares, temperature, top_k);
    const stands = tokens[at]?.token;
    const rows = symbols.slice(0, ROWS).map((symbol, k) => this.row(symbol, shares[k], this.after[k], symbol === stands));
    const rest = (values) => values.slice(ROWS).reduce((a, b) => a + b, 0);
    if (symbols.length > ROWS) rows.push(this.row("…", rest(shares), rest(this.after), symbols.indexOf(stands) >= ROWS, t("{n} others", { n: symbols.length - ROWS })));
    this.bars.replaceChildren(...rows);
    this.place.textContent = t("after “{text}” comes:", { text: tokens.slice(Math.max(0, at - 12), at).map(({ token }) => mark(token)).join("") });
    this.facts.textContent = t("entropy {before} → {after} bits; {n} characters can be drawn", { before: short(entropy(shares)), after: short(entropy(this.after)), n: this.kept() });
  }

  kept() {
    return this.top_k ? Math.min(this.top_k, this.shares.length) : this.shares.length;
  }

  row(symbol, before, after, stands, name = "") {
    const bar = (share, kind) => {
      const line = make("i", { class: kind });
      line.style.width = `${100 * share}%`;
      return line;
    };
    return make("li", { class: stands ? "stands" : "", "aria-label": `${name || spoken(symbol)}: ${percent(before)}, ${percent(after)}` },
      make("b", { class: "num" }, mark(symbol)), make("span", { class: "track" }, bar(before, "before"), bar(after, "after")),
      make("span", { class: "num quiet" }, percent(before)), make("span", { class: "num" }, after ? percent(after) : "0"));
  }

  values() {
    if (!this.after) return {};
    const { shares, after, temperature, top_k } = this;
    const kept = this.kept();
    return {
      temperature, top_k, kept, entropy: entropy(after), entropy_before: entropy(shares), top: after[0], top_before: shares[0],
      covered: shares.slice(0, kept).reduce((a, b) => a + b, 0), written: this.tokens.length - this.given.length,
    };
  }
}
