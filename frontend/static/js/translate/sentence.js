/** The sentence and how it is searched: a text field, examples, options, Translate and Stop. */

import { ApiError } from "../api.js";
import { make, t } from "../words.js";

const get = (id) => document.getElementById(id);

export class Sentence {
  /** @param {{about, examples: string[], onRun: () => void, onStop: () => void, onOption: () => void}} options */
  constructor({ about, onRun, onStop, onOption, onTyping }) {
    Object.assign(this, { onRun, onStop });
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
    get("translate").addEventListener("click", onRun);
    get("stop").addEventListener("click", onStop);
    for (const id of ["beam", "penalty", "most"]) get(id).addEventListener("change", onOption);
    get("pace").addEventListener("change", () => onOption("pace"));
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

  /** The options as the server takes them, within what the fields allow. */
  get options() {
    const number = (id, fallback) => {
      const { value, min, max } = get(id);
      return value.trim() === "" || !Number.isFinite(Number(value)) ? fallback : Math.max(Number(min), Math.min(Number(max), Number(value)));
    };
    return {
      beam_size: Number(get("beam").value),
      length_penalty: number("penalty", 1),
      max_new_tokens: Math.round(number("most", 60)),
    };
  }

  set options({ beam_size, length_penalty, max_new_tokens }) {
    get("beam").value = String(Math.max(1, Math.min(8, beam_size)));
    get("penalty").value = String(length_penalty);
    get("most").value = String(max_new_tokens);
    this.show(false);
  }

  get pace() {
    return Math.max(0, Number(get("pace").value) || 0);
  }

  set pace(pace) {
    get("pace").value = String(pace);
    if (get("pace").selectedIndex < 0) get("pace").value = "0";
  }

  /** As many lines as the text has, up to four. */
  grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  /** Buttons as the run stands. */
  show(busy) {
    const [now, other] = busy ? ["stop", "translate"] : ["translate", "stop"];
    const held = document.activeElement === get(other);
    get(now).hidden = false;
    if (held) get(now).focus();
    get(other).hidden = true;
    get("penalty").closest("label").classList.toggle("off", get("beam").value === "1");
    document.body.classList.toggle("busy", busy);
  }

  say(words) {
    if (get("live").textContent !== words) get("live").textContent = words;
  }

  /** What has been translated, for a listener. */
  tell(translation) {
    const cut = translation.ended ? "" : ` ${t("cut off: it did not end by itself")}`;
    this.say(`${t("translation: {text}", { text: translation.text })}${cut}`);
  }
}
