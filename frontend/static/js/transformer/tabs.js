/** Which stack of a translator is shown: the one that reads, the one that writes, or the look across. */

import { make, t } from "../words.js";

export class Tabs {
  /** @param {HTMLElement} host @param {import("./store.js").Store} store */
  constructor(host, store) {
    this.store = store;
    this.buttons = store.stacks.map((stack) => {
      const button = make("button", { type: "button", class: "tab", role: "tab", "data-stack": stack }, t(`stack ${stack}`));
      button.addEventListener("click", () => this.choose(stack));
      return button;
    });
    host.append(make("div", { class: "tabs", role: "tablist", "aria-label": t("which attention") }, ...this.buttons), (this.note = make("p", { class: "note" })));
    host.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      const at = this.buttons.findIndex((button) => button.ariaSelected === "true");
      const to = (at + by + this.buttons.length) % this.buttons.length;
      this.choose(store.stacks[to]);
      this.buttons[to].focus();
    });
    store.addEventListener("select", () => this.draw());
    this.draw();
  }

  choose(stack) {
    if (stack !== this.store.state.stack) this.store.set({ stack, query: -1, key: -1 });
  }

  draw() {
    this.note.textContent = t(`rows of ${this.store.state.stack}`);
    for (const button of this.buttons) {
      const chosen = button.dataset.stack === this.store.state.stack;
      button.ariaSelected = String(chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  }
}
