/**
 * Find the unit that knows something: choose a property of the characters, or mark characters of
 * the text yourself; the server scores every unit on the first half of the text and judges it on
 * the second.
 *
 * Options: checkpoint, text, property (a name, or "" for marks), marks: a string with a 1 for every
 * marked character.
 * Values for exercises: `unit`, `compared`, and `chosen.<property>`, `judged.<property>` of the unit
 * that is shown (with "marks" for the reader's own): how good it is either way round, of an AUC
 * 0.5 to 1, of a correlation 0 to 1.
 */

import { units } from "../../api.js";
import { decode } from "../../arrays.js";
import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { make, mark, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { ColouredText } from "../coloured-text.js";
import { States, unitOf } from "../states.js";

const PROPERTIES = ["line_position", "to_line_end", "quotes", "brackets", "round_brackets", "braces", "comment", "indent", "word", "word_position", "capitals"];
const ROWS = 8;
const REST = 400; // ms after the last mark before units are scored

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new UnitSearch(stage, { property: "word", marks: "", ...options }, figure, about);
  await view.search();
  return view;
}

class UnitSearch {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, id: about.id, text: options.text, property: options.property });
    this.characters = Array.from(options.text);
    this.marks = this.characters.map((_, k) => options.marks[k] === "1");
    this.states = new States(about.id);
    this.choice = make("select", { class: "plain", "aria-label": t("property of the characters") },
      ...PROPERTIES.map((name) => make("option", { value: name }, t(`property ${name}`))), make("option", { value: "" }, t("property marks")));
    this.choice.value = this.property;
    this.choice.addEventListener("change", () => this.choose(this.choice.value));
    this.clear = make("button", { class: "button", type: "button" }, t("no marks"));
    this.clear.addEventListener("click", () => this.mark(() => this.marks.fill(false)));
    this.hint = make("p", { class: "note" });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.coloured = new ColouredText({
      label: t("text: drag over characters to mark them, or go with Left and Right and mark with the space bar"),
      onGo: (at) => ((this.at = at), this.coloured.show(at), this.tell(at)),
      onHover: (at) => this.tell(at < 0 ? this.at : at),
      onKey: (event) => this.key(event),
    });
    this.coloured.set(this.characters);
    this.drag();
    this.told = make("output", { class: "num unit-told" });
    this.list = make("div", { class: "ranking", role: "radiogroup", "aria-label": t("units, the best first") });
    this.count = make("p", { class: "note" });
    stage.replaceChildren(
      make("div", { class: "unit-head" }, make("label", {}, `${t("property")} `, this.choice), this.clear,
        labLink(about)),
      this.hint, this.problem,
      make("div", { class: "search-body" }, make("div", { class: "search-text" }, this.coloured.node, this.told), make("div", {}, this.list, this.count)),
    );
    onRestyle(() => this.draw());
  }

  /** Dragging marks, or takes marks away where it begins on one. */
  drag() {
    const { node, place } = this.coloured;
    let value = null;
    node.addEventListener("pointerdown", (event) => {
      const at = place(event);
      if (at < 0 || event.button || this.property) return; // a click on a property's text reads it
      value = !this.marks[at];
      this.mark(() => (this.marks[at] = value));
    });
    node.addEventListener("pointerover", (event) => {
      const at = place(event);
      if (value === null || !event.buttons || at < 0) return;
      this.mark(() => (this.marks[at] = value));
    });
    addEventListener("pointerup", () => (value = null));
  }

  key(event) {
    if (event.key !== " " || this.at === undefined || this.property) return false;
    this.mark(() => (this.marks[this.at] = !this.marks[this.at]));
    return true;
  }

  mark(change) {
    change();
    this.numbers = Float32Array.from(this.marks, Number);
    this.underline();
    this.figure.keep({ property: "", marks: this.marks.map(Number).join("").replace(/0+$/, "") });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), REST);
  }

  choose(property) {
    this.property = property;
    this.figure.keep({ property });
    this.search();
  }

  async search() {
    const { property, marks, text } = this;
    const asked = (this.asked = property || marks.map(Number).join(""));
    this.clear.hidden = Boolean(property);
    this.hint.textContent = property ? t("Underlined: the characters that have the property, stronger where there is more of it. The thin line is the middle: units are chosen on what stands before it and judged on what stands after.")
      : t("Mark characters in both halves of the text: drag over them, or go there with the arrow keys and press the space bar.");
    try {
      const found = property || marks.some(Boolean) ? await units(this.id, { text, most: ROWS, ...(property ? { property } : { marks }) }) : null;
      if (asked !== this.asked) return; // the reader has gone on
      this.found = found;
      this.numbers = found ? decode(found.numbers) : new Float32Array(text.length);
      this.problem.textContent = "";
      this.underline();
      this.rank();
      await this.show(0);
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  /** A line below what has the property, and one where the halves meet. */
  underline() {
    const largest = this.numbers.reduce((most, value) => (value > most ? value : most), 0) || 1;
    this.coloured.spans.forEach((span, k) => {
      const value = this.numbers[k];
      span.style.setProperty("--has", value > 0 ? String(Math.round(25 + (75 * value) / largest)) + "%" : "0%");
      span.classList.toggle("middle", k === this.found?.split);
    });
  }

  rank() {
    const { found } = this;
    this.list.replaceChildren();
    this.count.textContent = "";
    if (!found) return;
    this.list.append(make("div", { class: "ranking-head quiet" }, make("span", {}, t("unit")), make("span", {}, t("chosen")), make("span", {}, t("judged"))));
    this.rows = found.units.map((one, k) => {
      const row = make("button", { type: "button", class: "ranked", role: "radio", "aria-checked": "false" },
        make("b", { class: "num" }, `${one.point} ${one.unit}`), this.score(one.chosen), this.score(one.judged));
      row.addEventListener("click", () => this.show(k));
      row.addEventListener("keydown", (event) => {
        const to = { ArrowDown: k + 1, ArrowUp: k - 1 }[event.key];
        if (to === undefined || !this.rows[to]) return;
        event.preventDefault();
        this.rows[to].focus();
        this.show(to);
      });
      return row;
    });
    this.list.append(...this.rows);
    this.count.textContent = t(`compared ${found.score}`, { n: found.compared });
  }

  /** A score as a bar of how good it is, and its number. */
  score(value) {
    const good = this.good(value);
    const bar = make("i", {});
    bar.style.width = `${100 * Math.max(0, this.found.score === "auc" ? 2 * good - 1 : good)}%`;
    const text = value === null ? "–" : value.toFixed(2).replace("-", "−"); // of all the same digits
    return make("span", { class: "score" }, make("span", { class: "track" }, bar), make("span", { class: "num" }, text));
  }

  good(value) {
    if (value === null) return NaN;
    return this.found.score === "auc" ? Math.max(value, 1 - value) : Math.abs(value);
  }

  async show(k) {
    this.picked = this.found?.units[k] ?? null;
    if (!this.picked) {
      this.unit = null;
      this.coloured.paint(() => null);
      return this.figure.changed();
    }
    this.rows.forEach((row, at) => {
      row.setAttribute("aria-checked", String(at === k));
      row.tabIndex = at === k ? 0 : -1;
    });
    const { picked } = this;
    const point = await this.states.read(this.text, picked.point);
    if (picked !== this.picked) return;
    this.point = point;
    this.draw();
    this.figure.changed();
  }

  draw() {
    if (!this.picked || !this.point) return;
    this.unit = unitOf(this.point, this.picked.unit);
    this.coloured.paint(this.unit.css);
    this.tell(this.at ?? 0);
  }

  tell(at) {
    if (!this.unit || at === undefined || at < 0) return;
    const has = this.numbers[at];
    this.told.textContent = `${t("character {n}, {character}: {value}", { n: at, character: mark(this.characters[at]), value: short(this.unit.values[at]) })} · ${t("property")}: ${Number.isNaN(has) ? "–" : short(has)}`;
  }

  values() {
    if (!this.picked) return {};
    const name = this.property || "marks";
    const { unit, chosen, judged } = this.picked;
    return { unit, compared: this.found.compared, [`chosen.${name}`]: this.good(chosen), [`judged.${name}`]: this.good(judged) };
  }
}
