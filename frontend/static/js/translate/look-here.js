/** "Look here": the offer beside a source word to make the step in hand look at it. */

import { make, percent, t } from "../words.js";

export class LookHere {
  /** @param {HTMLElement} host positioned; the offer stands in it @param {(target: number, source: number) => void} onForce */
  constructor(host, onForce) {
    this.onForce = onForce;
    this.from = null; // had the focus before
    this.say = make("p", { class: "look-say" });
    this.button = make("button", { class: "button", type: "button" }, t("Look here"));
    this.node = make("div", { class: "look-here", role: "dialog", "aria-label": t("Look here"), hidden: true }, this.say, this.button);
    host.append(this.node);
    this.button.addEventListener("click", () => this.take());
    this.node.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.hide(true);
    });
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(event.relatedTarget)) this.hide();
    });
    document.addEventListener("pointerdown", (event) => {
      if (!this.node.hidden && !this.node.contains(event.target)) this.hide();
    });
  }

  /**
   * @param {{target: number, source: number, word: string, written: string, weight: number|null, attends: boolean, forced: boolean}} about
   * @param {{x: number, y: number, room: number}} place css px in the host, and its width
   * @param {Element|null} from gets the focus back
   */
  show(about, place, from) {
    const { target, source, word, written, weight, attends, forced } = about;
    const values = { word, written, step: target, weight: percent(weight) };
    this.about = target >= 0 && attends && !forced ? { target, source } : null;
    let text = t("Choose a word of the translation first, then the word it should look at.");
    if (!attends) text = t("This network has no attention: it cannot look anywhere.");
    else if (forced) text = t("You made “{written}” look at “{word}”.", values);
    else if (target >= 0) text = t("Writing “{written}”, it gave “{word}” {weight}.", values);
    this.say.textContent = text;
    this.button.hidden = !this.about;
    this.from = from;
    this.node.hidden = false;
    const half = this.node.offsetWidth / 2;
    this.node.style.left = `${Math.max(half + 4, Math.min(place.room - half - 4, place.x))}px`;
    this.node.style.top = `${place.y}px`;
    if (this.about) this.button.focus({ preventScroll: true });
    else {
      this.node.tabIndex = -1;
      this.node.focus({ preventScroll: true });
    }
  }

  take() {
    const { about } = this;
    this.hide(true);
    if (about) this.onForce(about.target, about.source);
  }

  hide(back = false) {
    if (this.node.hidden) return;
    this.node.hidden = true;
    if (back) this.from?.focus({ preventScroll: true });
  }
}
