/**
 * A row for every token, with bars and numbers: scores, weights. A click chooses the token that is
 * spelled out; up and down move along.
 */

import { full, make, percent, short } from "../../words.js";

/**
 * @typedef {object} Column
 * @property {"bar"|"weight"|"number"} kind  a bar of a signed number, of a share, or the number alone
 * @property {Node[]} title @property {string} [hue]  custom property of the bar
 */

export class TokenRows {
  /** @param {HTMLElement} host @param {{label: string, columns: Column[], onChoose: (k: number) => void, onPoint?: (k: number) => void}} options */
  constructor(host, { label, columns, onChoose, onPoint = () => {} }) {
    Object.assign(this, { columns, onChoose, onPoint, rows: [], names: [] });
    this.head = make("div", { class: "tr tr-head" }, make("span", {}), ...columns.map(({ title }) => make("span", { class: "tr-title" }, ...title)));
    this.body = make("div", { class: "tr-body", role: "listbox", "aria-label": label });
    this.foot = make("div", { class: "tr tr-foot" });
    this.element = make("div", { class: "token-rows" }, this.head, this.body, this.foot);
    this.element.style.setProperty("--columns", columns.map(({ kind }) => ({ bar: "minmax(var(--least, 5rem), 1fr)", weight: "minmax(var(--least, 5rem), 1fr)", number: "4.5rem" })[kind]).join(" "));
    host.append(this.element);
    const { body } = this;
    const at = (event) => this.rows.findIndex(({ node }) => node === event.target.closest(".tr"));
    body.addEventListener("click", (event) => at(event) >= 0 && this.onChoose(at(event)));
    body.addEventListener("pointerover", (event) => this.onPoint(at(event)));
    body.addEventListener("pointerleave", () => this.onPoint(-1));
    body.addEventListener("keydown", (event) => {
      const to = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!to) return;
      event.preventDefault();
      event.stopPropagation();
      const next = Math.max(0, Math.min(this.rows.length - 1, at(event) + to));
      this.onChoose(next);
      this.rows[next].node.focus();
    });
  }

  /** As many rows as there are tokens. @param {string[]} labels */
  build(labels) {
    if (this.names.join("\n") === labels.join("\n") && this.rows.length) return;
    this.names = labels;
    this.element.style.setProperty("--token", `${Math.min(4.5, 1 + 0.55 * Math.max(...labels.map((text) => text.length)))}rem`);
    this.rows = labels.map((text) => {
      const cells = this.columns.map(({ kind, hue = "--ink-3" }) => {
        const value = make("span", { class: "num" });
        if (kind === "number") return { node: make("span", { class: "tr-number" }, value), value };
        const bar = make("i", {});
        bar.style.background = `var(${hue})`;
        return { node: make("span", { class: `tr-bar ${kind}` }, make("span", { class: "tr-track" }, bar), value), value, bar };
      });
      return { node: make("div", { class: "tr", role: "option", tabindex: "-1" }, make("b", { class: "tr-token" }, text), ...cells.map(({ node }) => node)), cells };
    });
    this.body.replaceChildren(...this.rows.map(({ node }) => node));
  }

  /**
   * @param {object} shown
   * @param {string[]} shown.labels @param {(number|null)[][]} shown.values  by column; null: nothing
   * @param {[number, number][]} shown.ranges  by column: where bars end at the left and at the right
   * @param {number} shown.chosen @param {number} shown.query @param {number} shown.seen  later ones may not be looked at
   * @param {(string|Node)[]} [shown.foot]  a cell a column
   */
  show({ labels, values, ranges, chosen, query, seen, foot = null }) {
    this.build(labels);
    this.rows.forEach(({ node, cells }, k) => {
      node.classList.toggle("chosen", k === chosen);
      node.classList.toggle("query", k === query);
      node.classList.toggle("unseen", k >= seen);
      node.ariaSelected = String(k === chosen);
      node.tabIndex = k === chosen ? 0 : -1;
      cells.forEach(({ value, bar }, c) => {
        const number = values[c][k];
        const { kind } = this.columns[c];
        const there = number !== null && number !== undefined;
        value.textContent = !there ? "" : kind === "weight" ? percent(number) : short(number);
        value.title = there ? full(number) : "";
        if (!bar) return;
        const [low, high] = ranges[c];
        const share = there && Number.isFinite(number) ? Math.max(low, Math.min(high, number)) / (high - low || 1) : 0;
        bar.parentElement.style.setProperty("--zero", `${(-100 * low) / (high - low || 1)}%`);
        bar.style.transform = `scaleX(${share})`;
      });
    });
    this.foot.hidden = !foot;
    this.foot.replaceChildren(make("span", {}), ...(foot ?? []).map((cell) => make("span", { class: "tr-sum" }, ...(Array.isArray(cell) ? cell : [cell]))));
  }
}
