/**
 * What a model writes, a button a token: given ones bold, drawn ones underlined in the green of
 * their probability. What is pointed at tints the tokens it looked at.
 */

import { attentionRamp, hue, inkOn, sequential } from "../color.js";
import { make, percent, t } from "../words.js";
import { partsOf, told } from "./labels.js";

export class WritingTokens {
  /**
   * @param {HTMLElement} host @param {import("./written-text.js").WrittenText} written
   * @param {{onPoint: (t: number) => void, onChoose: (t: number) => void}} options
   */
  constructor(host, written, { onPoint, onChoose }) {
    Object.assign(this, { host, written, onPoint, onChoose });
    this.buttons = [];
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", t("what it writes, token by token"));
    const at = (event) => {
      const button = event.target.closest("button");
      return button ? Number(button.dataset.k) : -1;
    };
    host.addEventListener("click", (event) => at(event) >= 0 && onChoose(at(event)));
    host.addEventListener("pointerover", (event) => onPoint(at(event)));
    host.addEventListener("pointerleave", () => onPoint(-1));
    host.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const k = at(event);
      if (!by || k < 0) return;
      event.preventDefault();
      event.stopPropagation();
      const next = this.buttons[Math.max(0, Math.min(this.buttons.length - 1, k + by))];
      for (const button of this.buttons) button.tabIndex = button === next ? 0 : -1;
      next.focus();
      onPoint(Number(next.dataset.k));
    });
  }

  /** @param {(t: number) => Float32Array|null} row  where token t looked, of what is pointed at */
  draw({ over, chosen, row }) {
    const { tokens } = this.written;
    if (this.built !== tokens || this.buttons.length > tokens.length) {
      this.built = tokens;
      this.buttons = [];
      this.word = null;
      this.host.replaceChildren();
    }
    for (let k = this.buttons.length; k < tokens.length; k++) {
      const button = this.make(tokens[k], k);
      this.buttons.push(button);
      this.place(tokens[k].token, button);
    }
    const { css } = attentionRamp();
    const weights = over >= 0 && over < tokens.length ? row(over) : null;
    this.buttons.forEach((button, k) => {
      const weight = weights?.[k];
      const fill = weight === undefined ? "" : css[Math.round(255 * Math.sqrt(weight))];
      button.style.background = fill;
      button.style.color = fill ? inkOn(fill) : "";
      button.classList.toggle("over", k === over);
      button.setAttribute("aria-pressed", String(k === chosen));
    });
  }

  /** Lines break between words and where the text breaks them. */
  place(token, button) {
    if (!this.word || /^\s\S/.test(token)) this.word = this.host.appendChild(make("span", { class: "written-word" }));
    this.word.append(button);
    if (/\s$/.test(token)) this.word = null;
    if (token.includes("\n")) this.host.append(make("br"));
  }

  make({ token, prefix, probability }, k) {
    const parts = partsOf(token).map(({ text, blank }) => (blank ? make("span", { class: "blank" }, text) : text));
    const button = make("button", { type: "button", class: "written-token", "data-k": String(k) }, ...parts);
    button.classList.toggle("given", prefix);
    button.tabIndex = k ? -1 : 0;
    const fact = prefix ? t("given") : percent(probability);
    button.setAttribute("aria-label", `${told(token)}, ${fact}`);
    button.title = fact;
    if (!prefix) button.style.setProperty("--chance", sequential(hue("y")).css[Math.round(30 + 225 * probability)]);
    return button;
  }

  restyle() {
    this.built = null;
  }
}
