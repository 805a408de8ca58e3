/**
 * Tokens as text that can be pointed at: words in a line, each made of its tokens, every token a
 * button. One tab stop a strip; arrows move along it.
 */

import { attentionRamp, inkOn, hue, sequential } from "../color.js";
import { make, percent, t } from "../words.js";
import { wordsOf } from "./tokens.js";

export class TokenStrip {
  /**
   * @param {HTMLElement} host @param {"source"|"target"} side
   * @param {{run, link, onChoose: (k: number) => void}} options
   */
  constructor(host, side, { run, link, onChoose, label }) {
    Object.assign(this, { host, side, run, link, onChoose });
    this.buttons = [];
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", label);
    host.addEventListener("click", (event) => {
      const k = this.at(event);
      if (k >= 0) this.onChoose(k);
    });
    host.addEventListener("pointerover", (event) => this.point(this.at(event)));
    host.addEventListener("pointerleave", () => link.point());
    host.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && this.point(this.at(event)));
    host.addEventListener("focusout", () => link.point());
    host.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    const button = event.target.closest("button");
    return button ? Number(button.dataset.k) : -1;
  }

  point(k) {
    if (k >= 0) this.link.point(...(this.side === "source" ? [-1, k] : [k, -1]));
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const k = this.at(event);
    if (!by || k < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.buttons[Math.max(0, Math.min(this.buttons.length - 1, k + by))].focus();
  }

  get tokens() {
    return this.run[this.side];
  }

  /** @param {boolean[]} [changed]  words that another text has not */
  build(changed = []) {
    const { host, tokens, run } = this;
    const focused = host.contains(document.activeElement) ? this.buttons.indexOf(document.activeElement) : -1;
    this.built = tokens.length;
    this.buttons = tokens.map((token, k) => this.button(token, k));
    host.classList.toggle("characters", run.characters);
    host.replaceChildren(
      ...wordsOf(tokens).map(({ from, to }, w) => {
        const word = make("span", { class: "word" }, ...this.buttons.slice(from, to));
        word.classList.toggle("changed", Boolean(changed[w]));
        word.classList.toggle("close", !run.characters && from > 0 && this.isClose(from));
        return word;
      }),
    );
    this.rove(Math.max(0, focused));
    if (focused >= 0) this.buttons[Math.min(focused, this.buttons.length - 1)]?.focus();
    this.paint();
  }

  /** No space before this token in the text. */
  isClose(k) {
    const { tokens } = this;
    return this.side === "source" ? tokens[k].start === tokens[k - 1].stop && tokens[k].stop > tokens[k].start : !/^[\s<]/.test(tokens[k].token);
  }

  button(token, k) {
    const { side } = this;
    const copied = side === "source" ? token.copied : token.copy !== null;
    const text = token.copy ?? (token.token.trim() || token.label);
    const button = make("button", { type: "button", class: "token", "data-k": String(k) }, text);
    button.classList.toggle("sign", /^<\/?s>$/.test(token.token));
    button.classList.toggle("blank", !token.token.trim() && !this.run.characters);
    button.classList.toggle("copied", copied);
    button.classList.toggle("given", Boolean(token.chosen));
    button.classList.toggle("forced", token.forced !== null && token.forced !== undefined);
    const facts = [];
    if (side === "target") facts.push(token.chosen ? t("your choice") : percent(token.probability));
    if (copied) facts.push(t("copied, not translated"));
    button.title = facts.join(" · ");
    button.setAttribute("aria-label", [/^<\/?s>$/.test(token.token) ? t("end of the sentence") : text, ...facts].join(", "));
    if (side === "target") {
      const bar = make("i", { "aria-hidden": "true" });
      bar.style.transform = `scaleX(${token.probability})`;
      bar.style.background = sequential(hue("y")).css[190];
      button.append(bar);
    }
    return button;
  }

  rove(k) {
    this.buttons.forEach((button, at) => (button.tabIndex = at === k ? 0 : -1));
  }

  /** Colours by the weights of what is pointed at on the other side, and what is chosen. */
  paint() {
    const { link, side, run } = this;
    const other = side === "source" ? "target" : "source";
    const shown = link.shown;
    const { css } = attentionRamp();
    this.buttons.forEach((button, k) => {
      const weight = shown[side] >= 0 && side === "target" ? null : this.weight(k, shown[other], run);
      const fill = weight === null ? null : css[Math.round(255 * weight)];
      button.style.background = fill ?? "";
      button.style.color = fill && weight > 0.02 ? inkOn(fill) : "";
      button.classList.toggle("over", shown[side] === k);
      button.setAttribute("aria-pressed", String(link.pin[side] === k));
    });
  }

  /** The weight between token k and what is pointed at on the other side, or null. */
  weight(k, other, { target }) {
    if (other < 0) return null;
    const row = target[this.side === "source" ? other : k]?.attention;
    return row ? (row[this.side === "source" ? k : other] ?? null) : null;
  }
}
