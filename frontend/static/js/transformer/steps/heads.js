/** Step 9: every head of the layer does the same with matrices of its own. */

import { attentionRamp, color, signedRamp } from "../../color.js";
import { make, t } from "../../words.js";
import { Matrix } from "./matrix.js";
import { contributions, columnSums, limitOf, rowOf } from "./numbers.js";
import { agreement, letter, line, rangeBar, size } from "./pieces.js";
import { Step } from "./step.js";

export class Heads extends Step {
  build() {
    const { heads } = this.walk;
    this.maps = Array.from({ length: heads }, (_, head) => new Matrix({
      label: t("head {n}: rows look, columns are looked at; Enter opens it", { n: head }), ramp: "attention", title: [make("span", { class: "head-name" }, t("head {n}", { n: head }))],
      describe: (row, column) => `${this.labels[row]} → ${this.labels[column]}`, onChoose: () => this.walk.set({ head }),
    }));
    this.grid = this.block("head-maps", ...this.maps.map(({ element }) => element));
    this.title = make("span", {});
    this.joined = new Matrix({ label: t("what all heads hand on, side by side"), title: [letter("value", "z"), t("of all heads, side by side"), this.title], describe: (row, at) => `z ${Math.floor(at / this.walk.d)} #${at % this.walk.d}`, onChoose: (row, at) => this.walk.set({ head: Math.floor(at / this.walk.d) }) });
    this.numbers = make("div", { class: "joined-heads num", "aria-hidden": "true" }, ...this.maps.map((_, head) => make("span", {}, String(head))));
    this.attendedTitle = make("span", {});
    this.attended = new Matrix({ label: t("what attention adds to the stream"), title: [letter("attention", "o"), t("what attention adds"), this.attendedTitle], describe: (row, unit) => `#${unit}` });
    this.mixer = make("p", { class: "mixer" });
    this.feet = [make("p", { class: "mx-foot" }), make("p", { class: "mx-foot" })];
    this.figure.append(this.feet[0]);
    this.block("part joined", this.joined.element, this.numbers, this.mixer, this.attended.element, this.feet[1]);
  }

  draw() {
    const { walk, labels } = this;
    const { T, D, d, heads, query, layer, state } = walk;
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const room = this.grid.clientWidth;
    const most = Math.max(2, Math.floor(room / (132 * scale)));
    const columns = Math.min(heads, heads > most ? Math.ceil(heads / Math.ceil(heads / most)) : most);
    const side = Math.floor(Math.min(260 * scale, (room - 1 - (columns - 1) * 16 * scale) / columns));
    this.grid.style.setProperty("--side", `${side}px`);
    this.maps.forEach((map, head) => {
      map.show({ values: walk.head(head).attention, rows: T, columns: T, limit: 1, width: side, height: side });
      map.mark([{ row: query, ink: "--q-query", dash: head !== state.head }]);
      map.element.classList.toggle("chosen", head === state.head);
    });
    const z = (this.z = Float32Array.from({ length: heads * d }, (_, at) => layer.heads[Math.floor(at / d) * T * d + query * d + (at % d)]));
    const own = Float64Array.from(this.maps.flatMap((_, head) => {
      const part = walk.head(head);
      return [...columnSums(contributions(rowOf(part.attention, query, T), part.v, d), d)];
    }));
    const out = this.mine(layer.attended, D);
    const [wide, added] = [limitOf(z), limitOf(out)];
    const height = 28 * scale;
    this.joined.show({ values: z, rows: 1, columns: heads * d, limit: wide.limit, height });
    this.attended.show({ values: out, rows: 1, columns: D, limit: added.limit, height });
    this.frame(this.joined.width, height);
    this.title.replaceChildren(size(1, heads * d));
    this.attendedTitle.replaceChildren(size(1, D));
    this.mixer.replaceChildren("· ", letter("attention", "W", "o"), " ", size(heads * d, D), " ↓");
    this.feet[0].replaceChildren(rangeBar(attentionRamp(), 0, 1, 0, letter("attention", "A")));
    const bar = ({ limit, largest }, of) => rangeBar(signedRamp(), -limit, limit, largest, of);
    this.feet[1].replaceChildren(bar(wide, letter("value", "z")), bar(added, letter("attention", "o")));
    this.fill(line(t("{n} heads", { n: heads }), "·", size(1, d), "=", size(1, heads * d)), line(size(1, heads * d), "·", size(heads * d, D), "=", size(1, D)), agreement(own, z));
    [...this.numbers.children].forEach((node, head) => node.classList.toggle("chosen", head === state.head));
  }

  /** The chosen head's part, framed. */
  frame(width, height) {
    const { heads, state } = this.walk;
    const context = this.joined.map.draw(width, height);
    for (let head = 0; head < heads; head++) {
      const chosen = head === state.head;
      this.joined.map.frame(context, [(head * width) / heads, 0, width / heads, height], color(chosen ? "--ink" : "--paper"), chosen ? 1.75 : 1);
    }
  }

  tables() {
    const { labels, walk } = this;
    return this.maps.map((_, head) => ({ name: t("head {n}", { n: head }), rows: labels, columns: labels, values: walk.head(head).attention, weights: true }));
  }
}
