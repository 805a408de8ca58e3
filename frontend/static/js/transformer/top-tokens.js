/** The likeliest tokens of one place, as bars. */

import { hue, sequential } from "../color.js";
import { full, make, percent, t } from "../words.js";

export class TopTokens {
  /** @param {number} rows */
  constructor(rows) {
    this.rows = Array.from({ length: rows }, () => {
      const label = make("b", { class: "token-label" });
      const bar = make("i", { class: "chance" });
      const share = make("span", { class: "num" });
      return { node: make("li", { class: "top-token" }, label, make("span", { class: "track" }, bar), share), label, bar, share };
    });
    this.node = make("ol", { class: "top-tokens", "aria-label": t("the likeliest next tokens") }, ...this.rows.map(({ node }) => node));
    this.clear();
  }

  clear() {
    this.show([]);
  }

  /** @param {{label: string, chance: number, truth: boolean}[]} tokens */
  show(tokens) {
    const { css } = sequential(hue("y"));
    this.rows.forEach(({ node, label, bar, share }, k) => {
      const token = tokens[k];
      node.style.visibility = token ? "" : "hidden";
      if (!token) return;
      label.textContent = token.label;
      node.classList.toggle("truth", token.truth);
      node.title = token.truth ? t("this one really comes next") : full(token.chance);
      bar.style.transform = `scaleX(${token.chance})`;
      bar.style.background = css[Math.round(90 + 130 * token.chance)];
      share.textContent = percent(token.chance);
    });
  }
}
