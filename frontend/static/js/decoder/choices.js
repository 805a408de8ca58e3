/** What the reader has changed, as a list to take back from, and the text as it was without it. */

import { make, t } from "../words.js";
import { difference } from "./difference.js";
import { wordsOf } from "./tokens.js";

/** Words of a run as its text has them. @returns {string[]} */
export function textWords(tokens) {
  const words = wordsOf(tokens.map((one) => ({ ...one, token: one.copy ?? one.token })));
  return words.map(({ text }) => text.trim()).map((text) => (/^<\/?s>$/.test(text) ? "" : text));
}

/** A label without the dot of a piece that goes on with a word. */
const bare = (label) => label.replace(/^·(?=.)/, "");

export class Choices {
  /**
   * @param {{run, former, edits, onRemove: (edit) => void, onClear: () => void,
   *   after: () => HTMLElement|null}} options  `after`: takes the focus once there is no choice left
   */
  constructor(host, { run, former, edits, onRemove, onClear, after }) {
    Object.assign(this, { host, run, former, edits, onRemove, after });
    this.before = make("p", { class: "former-text" });
    this.items = make("ul", { class: "edits" });
    const clear = make("button", { class: "plain", type: "button" }, t("take all back"));
    clear.addEventListener("click", onClear);
    this.clear = clear;
    host.append(
      make("div", { class: "former" }, make("span", { class: "note" }, t("without your choices")), this.before),
      make("div", { class: "edit-row" }, make("span", { class: "note" }, t("your choices")), this.items, clear),
    );
    host.hidden = true;
  }

  /** Draws the list and the former text; returns which words of the present text are new. */
  draw() {
    const { edits, host, items, run, former } = this;
    const focused = document.activeElement;
    const at = [...items.querySelectorAll("button")].indexOf(focused);
    host.hidden = edits.empty;
    items.replaceChildren(...edits.list.map((edit) => this.item(edit)));
    // Whoever took a choice back stands at the next one; after the last, where the page says.
    if (at >= 0) (items.children[Math.min(at, items.children.length - 1)]?.firstChild ?? this.after())?.focus({ preventScroll: true });
    else if (focused === this.clear && edits.empty) this.after()?.focus({ preventScroll: true });
    if (edits.empty) return [];
    this.clear.hidden = edits.list.length < 2;
    const now = textWords(run.target);
    if (!former.whole) return [];
    const then = textWords(former.target);
    const changed = difference(then, now);
    // While words still come, none is missing yet.
    this.before.replaceChildren(
      ...then.flatMap((word, k) => {
        if (!word) return [];
        const close = k > 0 && (run.characters || !/^[\s<]/.test(former.target[this.startOf(k)].token));
        return [close || k === 0 ? "" : " ", changed.one[k] && run.whole ? make("del", {}, word) : word];
      }),
    );
    return changed.two;
  }

  startOf(word) {
    return wordsOf(this.former.target)[word].from;
  }

  /** What stands at the step of an edit, or will: a token that was chosen may not be written yet. */
  written({ kind, step }) {
    const target = this.run.target[step];
    const id = this.edits.prefix[step];
    if (!target || kind !== "token" || target.token_id === id) return target && bare(target.label);
    return target.top.find(({ token_id }) => token_id === id)?.token.trim();
  }

  item(edit) {
    const { run } = this;
    const name = this.written(edit) ?? t("step {n}", { n: edit.step });
    const text = {
      look: () => t("{target} looks at {source}", { target: name, source: bare(run.source[edit.source]?.label ?? String(edit.source)) }),
      token: () => t("{target} chosen at step {n}", { target: name, n: edit.step }),
      whole: () => t("a hypothesis of the search, read as it is"),
    }[edit.kind]();
    const button = make("button", { type: "button", class: "edit", "aria-label": `${text}: ${t("take it back")}`, title: t("take it back") }, text, make("span", { "aria-hidden": "true" }, "×"));
    button.addEventListener("click", () => this.onRemove(edit));
    return make("li", {}, button);
  }
}
