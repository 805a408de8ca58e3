/** The text that is read. Typing reads it again after a short pause; a translator has a button too. */

import { make } from "../words.js";

const TYPING = 260; // ms after the last key before the text is read
const get = (id) => document.getElementById(id);

export class Prompt {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.field = get("prompt");
    this.field.value = store.state.text;
    this.field.addEventListener("input", () => {
      this.grow();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.take(), TYPING);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.take();
      } else if (event.key === "Escape") this.field.blur();
    });
    get("translate")?.addEventListener("click", () => this.take());
    // Its lines are others where the page is wider, or the type larger.
    new ResizeObserver(() => {
      const key = `${this.field.clientWidth} ${getComputedStyle(this.field).fontSize}`;
      if (key !== this.grown) this.grow();
      this.grown = key;
    }).observe(this.field);
    const { about } = store;
    this.examples = [...new Set([about.prompt, ...(about.examples ?? [])].filter(Boolean))];
    get("examples").replaceChildren(...this.examples.map((text) => this.example(text)));
    get("examples-row").hidden = this.examples.length < 2;
    this.mark();
  }

  example(text) {
    const button = make("button", { type: "button", class: "example" }, text);
    button.addEventListener("click", () => {
      this.field.value = text;
      this.grow();
      this.take();
    });
    return button;
  }

  /** Read what is in the field now. */
  take() {
    clearTimeout(this.timer);
    this.mark();
    const { store, field } = this;
    if (field.value !== store.state.text) store.set({ text: field.value });
    else if (store.error) store.read();
  }

  /** Which example is in the field. */
  mark() {
    [...get("examples").children].forEach((button, k) => button.setAttribute("aria-pressed", String(this.examples[k] === this.field.value)));
  }

  /** As many lines as the text has, up to four. */
  grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }
}
