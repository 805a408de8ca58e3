/**
 * Positions left out, tokens in another order, and what that does to the outputs of the network,
 * each token beside itself wherever it stands.
 */

import { make, percent, t } from "../words.js";
import { moved } from "./measures.js";
import { reversed, shuffled } from "./orders.js";
import { otherwise } from "./otherwise.js";
import { View } from "./view.js";

const NOTHING = 1e-4; // of the size: what rounding leaves

export class OrderPanel extends View {
  /** @param {import("./store.js").Store} store @param {HTMLElement} host */
  constructor(store, host) {
    super(store, host);
    // Of a translator the source is shuffled, and its encoder's output is compared.
    this.stack = store.translates ? "encoder" : "";
    this.seed = 0;
    this.build();
    store.addEventListener("edit", () => this.wake());
    store.addEventListener("read", () => this.refresh());
    this.refresh();
  }

  get kind() {
    return this.store.about.config.positions;
  }

  build() {
    const { host, kind } = this;
    this.positions = make("input", { type: "checkbox", role: "switch" });
    this.positions.addEventListener("change", () => this.edit({ positions: this.positions.checked }));
    const told = kind !== "none"; // where there are none, none are switched off
    const label = make("label", { class: "toggle", hidden: !told }, this.positions, make("span", {}, told ? t(`positions ${kind}`) : ""));
    const button = (text, action) => {
      const node = make("button", { type: "button", class: "button small" }, text);
      node.addEventListener("click", action);
      return node;
    };
    const count = () => this.store.reading?.tokens.length ?? 0;
    this.back = button(t("as typed"), () => this.edit({ order: [] }));
    this.buttons = make("div", { class: "orders", role: "group", "aria-label": t("order of the tokens") },
      button(t("shuffle"), () => this.edit({ order: shuffled(count(), ++this.seed) })),
      button(t("turn round"), () => this.edit({ order: reversed(count()) })),
      this.back);
    this.bars = [true, false].map((positions) => {
      const bar = make("i", {});
      const number = make("b", { class: "num" });
      return { positions, bar, number, node: make("div", { class: "moved" }, make("span", {}, positions ? t("with positions") : t("without positions")), make("span", { class: "track" }, bar), number) };
    });
    this.title = make("p", { class: "note" }, t("how far each token's output moves, of its size"));
    this.result = make("div", { class: "moved-result" }, this.title, ...this.bars.map(({ node }) => node));
    this.sentence = make("p", { class: "note order-sentence", role: "status" });
    host.append(label, this.buttons, this.result, this.sentence);
  }

  edit(changes) {
    const { edits } = this.store.state;
    this.store.set({ edits: { ...edits, ...changes } });
  }

  /** Four readings: in both orders, with positions and without. */
  async load() {
    const { store, stack } = this;
    const { edits } = store.state;
    const { order } = edits;
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.found = null;
    this.wake();
    if (!order.length || !store.reading) return;
    const last = store.layers(stack) - 1;
    const slices = [{ point: `${stack ? "encoder." : ""}blocks.${last}.residual` }];
    const found = [];
    try {
      for (const { positions } of this.bars) {
        if (positions && this.kind === "none") {
          found.push(NaN);
          continue;
        }
        // What is forbidden is forbidden by place: other tokens would stand there.
        const common = { ...edits, positions, blocked: [] };
        const [before] = await otherwise(store, { ...common, order: [] }, slices, abort.signal);
        const [after] = await otherwise(store, { ...common, order }, slices, abort.signal);
        found.push(moved(before.data, after.data, before.shape[1], order));
      }
    } catch (error) {
      store.fail(error, abort.signal);
      return;
    }
    if (abort.signal.aborted) return;
    this.found = found;
    this.wake();
  }

  draw() {
    const { edits } = this.store.state;
    this.positions.checked = edits.positions;
    this.back.disabled = !edits.order.length;
    this.result.hidden = !edits.order.length;
    this.result.classList.toggle("pending", !this.found);
    this.bars.forEach(({ bar, number, node, positions }, k) => {
      const value = this.found?.[k];
      node.hidden = Number.isNaN(value);
      node.classList.toggle("current", positions === edits.positions);
      bar.style.transform = `scaleX(${Math.min(1, value ?? 0)})`;
      number.textContent = value === undefined ? "" : value < NOTHING ? t("nothing") : percent(value);
      number.title = value === undefined ? "" : String(value);
    });
    this.sentence.textContent = this.words();
  }

  words() {
    const { order, positions } = this.store.state.edits;
    const causal = this.store.causal(this.stack);
    if (!order.length) return positions ? t("Shuffle the tokens: what would a network see that knows no order?") : t("Without positions, is a sentence more than a bag of words? Shuffle it.");
    if (!this.found) return "";
    const without = this.found[1];
    if (without < NOTHING) return t("Without positions nothing changes but the order: attention sees a set. Positions are all that makes it a sentence.");
    if (causal) return t("Without positions it changes all the same: each token sees only those before it, and now these are others.");
    return t("The outputs move in both cases.");
  }
}
