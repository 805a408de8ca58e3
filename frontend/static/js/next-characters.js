/** The five most likely characters at a step; each is a button that forks the text there. */

import { hue, sequential } from "./color.js";
import { make, mark, percent, spoken, surprise, short, t } from "./words.js";

const ROWS = 5;

export class NextCharacters {
  /** @param {{store, axis, onFork: (t: number, token: string) => void}} options */
  constructor(host, { store, axis, onFork }) {
    Object.assign(this, { store, axis });
    this.glyph = make("span", { class: "glyph num", "aria-hidden": "true" });
    this.heading = make("h2");
    this.line = make("p", { class: "note" });
    this.at = -1; // the step that is shown: while characters stream, the axis may be ahead of it
    this.stood = this.list((token) => onFork(this.at, token));
    this.after = this.list((token) => onFork(this.at + 1, token));
    this.stoodTitle = make("h3", {}, t("could have stood here"));
    this.afterTitle = make("h3", {}, t("comes next"));
    host.append(
      make("div", { class: "step-head" }, this.glyph, make("div", {}, this.heading, this.line)),
      make("div", { class: "candidate-lists" },
        make("div", {}, this.stoodTitle, this.stood.node),
        make("div", {}, this.afterTitle, this.after.node)),
      make("p", { class: "note" }, t("Choose one and the text goes on from that very state. A thin mark shows the chance after temperature, top-k and top-p.")),
    );
  }

  list(choose) {
    const rows = Array.from({ length: ROWS }, () => {
      const bar = make("i", { class: "chance" });
      const drawn = make("i", { class: "drawn" });
      const glyph = make("b", { class: "num" });
      const share = make("span", { class: "num" });
      const button = make("button", { type: "button", class: "candidate" }, glyph, make("span", { class: "track" }, bar, drawn), share);
      button.addEventListener("click", () => choose(button.dataset.token));
      return { button, bar, drawn, glyph, share };
    });
    return { node: make("ol", { class: "candidates" }, ...rows.map(({ button }) => make("li", {}, button))), rows };
  }

  draw() {
    const { axis, store } = this;
    const at = (this.at = axis.at);
    const column = store.columns[at];
    this.glyph.textContent = column ? mark(column.token) : "";
    if (!column) {
      this.heading.textContent = t("no step yet");
      this.line.textContent = t("Type a text or press Write.");
    } else {
      this.heading.textContent = t("step {n}", { n: at });
      this.line.textContent =
        column.probability === null
          ? t("the first character: nothing stood before it")
          : t("it had {share}, a surprise of {nats} nats", {
              share: percent(column.probability),
              nats: short(surprise(column.probability)),
            });
    }
    this.fill(this.stood, column?.top ?? [], column?.token);
    this.stoodTitle.hidden = this.stood.node.hidden = !column?.top.length;
    const next = column ? store.predicted(at) : [];
    this.fill(this.after, next, store.columns[at + 1]?.token);
    this.afterTitle.hidden = this.after.node.hidden = !next.length;
  }

  fill({ rows }, candidates, chosen) {
    const ramp = sequential(hue("y"));
    rows.forEach(({ button, bar, drawn, glyph, share }, rank) => {
      const candidate = candidates[rank];
      button.hidden = !candidate;
      if (!candidate) return;
      const { token, probability } = candidate;
      button.dataset.token = token;
      button.setAttribute("aria-label", `${spoken(token)}: ${percent(probability)}. ${t("fork here")}`);
      button.classList.toggle("chosen", token === chosen);
      glyph.textContent = mark(token);
      bar.style.transform = `scaleX(${probability})`;
      bar.style.background = ramp.css[Math.round(90 + 130 * probability)];
      drawn.hidden = candidate.drawn == null;
      drawn.style.left = `${100 * (candidate.drawn ?? 0)}%`;
      share.textContent = percent(probability);
      button.title = String(probability);
    });
  }
}
