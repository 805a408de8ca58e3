/**
 * The whole text, wrapped as a reader reads it. Spans are added as characters come, never
 * rebuilt, in one block a line, so that a new character lays out one line.
 */

import { inkOn } from "./color.js";
import { make } from "./words.js";

const LONGEST = 400; // characters of a block without a line break
const SCROLL = 120; // ms between scrolls to the newest line

export class ReadingText {
  /** @param {HTMLElement} host @param {{store: any, tint: Function, onGo: Function, axis: any}} options */
  constructor(host, { store, tint, onGo, axis }) {
    Object.assign(this, { host, store, tint, axis });
    this.spans = [];
    this.current = null;
    const find = (event) => event.target.closest?.("[data-t]");
    host.addEventListener("click", (event) => {
      const span = find(event);
      if (span) onGo(Number(span.dataset.t));
    });
    host.addEventListener("pointermove", (event) => axis.setHover(Number(find(event)?.dataset.t ?? -1)));
    host.addEventListener("pointerleave", () => axis.setHover(-1));
  }

  /** Add what is new, take away what is gone. */
  update() {
    const { spans, store } = this;
    if (this.cuts !== store.cuts || spans.length > store.length) {
      let same = 0;
      while (same < spans.length && same < store.length && spans[same].token === store.columns[same].token) same++;
      for (const { node } of spans.splice(same)) node.remove();
      while (this.host.lastElementChild && !this.host.lastElementChild.firstChild) this.host.lastElementChild.remove();
      this.block = this.host.lastElementChild;
      this.inBlock = this.block?.childNodes.length ?? 0;
      this.broken = spans.at(-1)?.token === "\n";
      this.cuts = store.cuts;
      this.prefix = -1;
    }
    const grew = spans.length < store.length;
    while (spans.length < store.length) this.add(spans.length);
    const prefix = this.prefixLength();
    if (prefix !== this.prefix) {
      spans.forEach(({ node }, k) => node.classList.toggle("given", k < prefix));
      this.prefix = prefix;
    }
    // Scrolling lays the text out: a few times a second is enough for a reader.
    if (grew && this.axis.following) this.scrolling ??= setTimeout(() => {
      this.scrolling = null;
      this.host.scrollTop = this.host.scrollHeight;
    }, SCROLL);
  }

  prefixLength() {
    const { columns } = this.store;
    let k = this.prefix > 0 && columns[this.prefix - 1]?.prefix ? this.prefix : 0;
    while (k < columns.length && columns[k].prefix) k++;
    return k;
  }

  add(k) {
    const token = this.store.columns[k].token;
    if (!this.block || this.broken || this.inBlock >= LONGEST) {
      this.block = make("div", { class: "line" });
      this.host.append(this.block);
      this.inBlock = 0;
    }
    const node = document.createElement("span");
    node.dataset.t = k;
    if (token === "\n") node.className = "break";
    else if (token === " ") node.className = "blank";
    else if (token === "\t") node.className = "tab";
    node.textContent = token === "\n" ? "↵" : token;
    this.block.append(node);
    this.inBlock++;
    this.broken = token === "\n";
    this.spans.push({ node, token });
    this.paint(k);
  }

  paint(k) {
    const tint = this.tint(k);
    const { style } = this.spans[k].node;
    style.backgroundColor = tint ?? "";
    style.color = tint ? inkOn(tint) : "";
  }

  /** Colour everything again. */
  repaint() {
    for (let k = 0; k < this.spans.length; k++) this.paint(k);
  }

  /** Mark the current step. */
  mark() {
    this.current?.classList.remove("at");
    this.current = this.spans[this.axis.at]?.node ?? null;
    this.current?.classList.add("at");
    if (!this.current || !this.axis.pinned) return;
    const { host } = this; // scrolled by hand: scrollIntoView would move the page as well
    const top = this.current.offsetTop;
    const bottom = top + this.current.offsetHeight;
    if (top < host.scrollTop) host.scrollTop = top - 4;
    else if (bottom > host.scrollTop + host.clientHeight) host.scrollTop = bottom - host.clientHeight + 4;
  }
}
