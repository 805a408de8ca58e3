/**
 * A running text, wrapped as one reads it, in which every character has a background: a span a
 * character in one focusable block. Left and Right move the chosen character, others keys are the
 * owner's.
 */

import { inkOn } from "../color.js";
import { make } from "../words.js";

export class ColouredText {
  /**
   * @param {{label: string, onGo: (at: number) => void, onHover?: (at: number) => void,
   *   onKey?: (event: KeyboardEvent) => boolean}} options
   */
  constructor({ label, onGo, onHover = () => {}, onKey = () => false }) {
    Object.assign(this, { onGo, at: -1 });
    this.node = make("div", { class: "coloured num", tabindex: "0", role: "application", "aria-label": label });
    this.spans = [];
    const place = (event) => Number(event.target.closest?.("[data-t]")?.dataset.t ?? -1);
    this.place = place;
    this.node.addEventListener("click", (event) => place(event) >= 0 && this.go(place(event)));
    this.node.addEventListener("pointerover", (event) => onHover(place(event)));
    this.node.addEventListener("pointerleave", () => onHover(-1));
    this.node.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const steps = { ArrowLeft: -1, ArrowRight: 1 };
      if (event.key in steps) this.go(Math.max(0, Math.min(this.spans.length - 1, this.at + steps[event.key])));
      else if (event.key === "Home") this.go(0);
      else if (event.key === "End") this.go(this.spans.length - 1);
      else if (!onKey(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** @param {string[]} characters */
  set(characters) {
    this.spans = characters.map((character, t) => {
      const span = make("span", { "data-t": String(t) }, character === "\n" ? "↵\n" : character);
      if (character === "\n") span.classList.add("break");
      return span;
    });
    this.node.replaceChildren(...this.spans);
  }

  /** @param {(t: number) => string|null} css  the background of a character */
  paint(css) {
    this.spans.forEach((span, t) => {
      const background = css(t);
      span.style.backgroundColor = background ?? "";
      span.style.color = background ? inkOn(background) : "";
    });
  }

  go(at) {
    this.show(at);
    this.onGo(at);
  }

  show(at) {
    this.spans[this.at]?.classList.remove("here");
    this.at = at;
    this.spans[at]?.classList.add("here");
  }
}
