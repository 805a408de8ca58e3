/** A question with a check: a number, a prediction, or a setting to be found in a figure. */

import { ApiError, check } from "../api.js";
import { make, short, t } from "../words.js";

let last = 0;

export class Exercise {
  /** @param {{figures: Map<string, import("./figure.js").Figure>, progress, slug, language}} lesson */
  constructor(element, lesson) {
    Object.assign(this, lesson);
    this.element = element;
    const number = [...document.querySelectorAll(".exercise")].indexOf(element) + 1;
    element.setAttribute("aria-label", t("exercise {n}", { n: number }));
    this.about = JSON.parse(element.dataset.exercise);
    element.prepend(make("p", { class: "number" }, `${t("exercise {n}", { n: number })} · ${t(`exercise: ${this.about.kind}`)}`));
    this.hint = element.querySelector(".hint");
    this.hint.querySelector("summary").textContent = t("a hint");
    this.verdict = make("p", { class: "verdict", role: "status" });
    const form = make("form", {}, ...this[this.about.kind](), this.verdict);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    element.querySelector(".ask").after(form);
    if (this.progress.has(this.about.id)) element.classList.add("done");
  }

  number() {
    const id = `answer-${++last}`;
    this.input = make("input", { id, class: "field num", inputmode: "decimal", autocomplete: "off", required: "" });
    this.answer = () => Number(this.input.value.trim().replace(",", ".").replace("−", "-"));
    return [
      make("label", { for: id }, t("your answer")), this.input,
      make("span", { class: "unit" }, this.about.unit), this.button(t("check")),
    ];
  }

  choice() {
    const name = `choice-${++last}`;
    const options = this.about.options.map((html, number) => {
      const radio = make("input", { type: "radio", name, value: String(number), required: "" });
      const label = make("label", { class: "option" }, radio, make("span", {}));
      label.lastChild.innerHTML = html; // rendered by the server from the lesson's own Markdown
      return label;
    });
    this.answer = () => Number(this.element.querySelector("input:checked")?.value ?? NaN);
    return [make("div", { class: "options", role: "radiogroup" }, ...options), this.button(t("check"))];
  }

  setting() {
    const figure = this.figures.get(this.about.view);
    const now = make("output", { class: "num" }, "");
    this.answer = () => figure.values()[this.about.value] ?? NaN;
    const show = () => (now.textContent = Number.isNaN(this.answer()) ? "–" : short(this.answer())); // –: nothing is chosen yet
    figure.addEventListener("values", show);
    figure.open();
    const link = make("a", { href: `#${this.about.view}` }, t("in the figure"));
    return [make("span", {}, link, " ", t("now"), ": ", now), this.button(t("check"))];
  }

  button(text) {
    return make("button", { class: "button", type: "submit" }, text);
  }

  async submit() {
    const answer = this.answer();
    if (!Number.isFinite(answer)) return this.tell(false, t("That is not a number."));
    try {
      const { right, said } = await check(this.slug, this.about.id, { answer, language: this.language });
      this.tell(right, right ? said : t("Not yet. Try again, or open the hint."));
      if (right) this.progress.add(this.about.id);
      this.element.classList.toggle("done", right || this.progress.has(this.about.id));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.tell(false, error.message || t("The server cannot be reached."));
    }
  }

  tell(right, text) {
    this.verdict.textContent = `${right ? "✓" : "✗"} ${text}`;
    this.verdict.classList.toggle("right", right);
  }
}
