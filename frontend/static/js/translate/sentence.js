/** The sentence and how it is searched: a text field, examples, options, Translate and Stop. */

import { ApiError } from "../api.js";
import { Desk } from "../decoder/desk.js";
import { make, t } from "../words.js";

const get = (id) => document.getElementById(id);

export class Sentence extends Desk {
  /** @param {{about, examples: string[], onRun: () => void, onStop: () => void, onOption: () => void}} options */
  constructor({ about, onRun, onStop, onOption, onTyping }) {
    super({ begin: "translate", most: 60, onRun, onStop, onOption });
    this.onRun = onRun;
    this.field = get("prompt");
    this.field.addEventListener("input", () => {
      this.grow();
      this.mark();
      onTyping();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        onRun();
      } else if (event.key === "Escape") this.field.blur();
    });
    // Its lines are others where the page is wider, or the type larger.
    new ResizeObserver(() => {
      const key = `${this.field.clientWidth} ${getComputedStyle(this.field).fontSize}`;
      if (key !== this.grown) this.grow();
      this.grown = key;
    }).observe(this.field);
    this.examples = [...new Set([about.prompt, ...(about.examples ?? [])].filter(Boolean))];
    get("examples").replaceChildren(...this.examples.map((text) => this.example(text)));
    get("examples-row").hidden = this.examples.length < 2;
  }

  example(text) {
    const button = make("button", { type: "button", class: "example" }, text);
    button.addEventListener("click", () => {
      this.text = text;
      this.onRun();
    });
    return button;
  }

  get text() {
    return this.field.value;
  }

  /** What is to be translated. */
  get subject() {
    return this.text;
  }

  /** The request for a text, with the options. */
  wish(text) {
    return { text, ...this.options };
  }

  /** An empty field, told as the server would. */
  missing() {
    if (this.text.trim()) return null;
    this.field.focus();
    return new ApiError({ code: "empty_text", message: "", hint: t("what to do first") }, 422);
  }

  set text(text) {
    this.field.value = text;
    this.grow();
    this.mark();
  }

  /** Which example is in the field. */
  mark() {
    [...get("examples").children].forEach((button, k) => button.setAttribute("aria-pressed", String(this.examples[k] === this.text)));
  }

  /** As many lines as the text has, up to four. */
  grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  /** What has been translated, for a listener. */
  tell(translation) {
    const cut = translation.ended ? "" : ` ${t("cut off: it did not end by itself")}`;
    this.say(`${t("translation: {text}", { text: translation.text })}${cut}`);
  }
}
