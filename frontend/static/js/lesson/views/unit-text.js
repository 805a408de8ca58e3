/**
 * A running text coloured by one unit of a recurrent network, and that unit's line over it.
 *
 * Options: checkpoint, text, point ("rnn.0.c"), unit, at: the chosen character.
 * Values for exercises: `value` at the chosen character, `unit`, `layer`, `at`, `low` and `high`: the
 * least and greatest value of the unit over the text.
 */

import { onRestyle } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { make, mark, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { ColouredText } from "../coloured-text.js";
import { Sparkline } from "../sparkline.js";
import { pointsOf, States, unitOf } from "../states.js";
import { whenTyped } from "../typing.js";

const REST = 500; // ms after typing before the text is read

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const points = pointsOf(about);
  const view = new UnitText(stage, { text: about.config?.prompt || about.prompt || "", point: points[0].name, unit: 0, at: -1, ...options }, figure, about, points);
  await view.read();
  return view;
}

class UnitText {
  constructor(stage, options, figure, about, points) {
    const { point, unit, at, text } = options;
    Object.assign(this, { figure, points, point, unit, at, text });
    this.states = new States(about.id);
    this.choice = make("select", { class: "plain num", "aria-label": t("quantity of the units") }, ...points.map(({ name }) => make("option", { value: name }, name)));
    this.choice.value = point;
    this.choice.addEventListener("change", () => this.pick({ point: this.choice.value }));
    this.number = make("input", { class: "field num", type: "number", min: "0", value: String(unit) });
    this.number.addEventListener("input", () => this.number.value !== "" && this.pick({ unit: this.bounded(Number(this.number.value)) }));
    this.area = make("textarea", { class: "unit-area num", rows: "6", spellcheck: "false", "aria-label": t("the text that is read") }, text);
    whenTyped(this.area, REST, () => this.retype(this.area.value));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.coloured = new ColouredText({
      label: t("text coloured by the unit: Left and Right choose a character, Up and Down another unit"),
      onGo: (to) => this.go(to),
      onHover: (to) => this.tell(to < 0 ? this.at : to),
      onKey: (event) => this.key(event),
    });
    this.spark = new Sparkline((to) => this.go(to));
    this.told = make("output", { class: "num unit-told" });
    this.bar = make("span", { class: "unit-bar", role: "img" }, make("span", { class: "num" }), make("i"), make("span", { class: "num" }));
    stage.replaceChildren(
      make("div", { class: "unit-head" },
        make("label", {}, `${t("quantity")} `, this.choice), make("label", {}, `${t("unit")} `, this.number), this.bar,
        labLink(about)),
      this.problem, this.coloured.node, this.told, this.spark.node,
      make("details", { class: "unit-edit" }, make("summary", {}, t("another text")), this.area),
    );
    onRestyle(() => this.draw());
  }

  get units() {
    return this.points.find(({ name }) => name === this.point)?.shape.at(-1) ?? 1;
  }

  bounded(unit) {
    return Math.max(0, Math.min(this.units - 1, Math.round(unit) || 0));
  }

  key(event) {
    const steps = { ArrowUp: 1, ArrowDown: -1 };
    if (!(event.key in steps)) return false;
    this.pick({ unit: (this.unit + steps[event.key] + this.units) % this.units });
    this.number.value = String(this.unit);
    return true;
  }

  pick(change) {
    Object.assign(this, change);
    this.unit = this.bounded(this.unit);
    this.figure.keep({ point: this.point, unit: this.unit });
    this.read();
  }

  retype(text) {
    if (!text) return;
    Object.assign(this, { text, at: -1 });
    this.figure.keep({ text, at: -1 });
    this.read();
  }

  go(at) {
    this.at = at;
    this.figure.keep({ at });
    this.draw(false);
  }

  async read() {
    const asked = (this.asked = `${this.point} ${this.text}`);
    try {
      const found = await this.states.read(this.text, this.point);
      if (asked !== this.asked) return; // the reader has gone on
      this.found = found;
      this.problem.textContent = "";
      const characters = Array.from(this.text);
      if (this.shown !== this.text) this.coloured.set(characters);
      this.shown = this.text;
      this.characters = characters;
      if (this.at < 0 || this.at >= characters.length) this.at = characters.length - 1;
      this.draw();
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  draw(paint = true) {
    if (!this.found) return;
    const { found, unit, point } = this;
    if (paint) {
      this.drawn = { ...unitOf(found, unit), letter: found.letter, name: `${point} ${unit}` };
      this.coloured.paint(this.drawn.css);
      const [low, , high] = this.bar.children;
      [low.textContent, high.textContent] = this.drawn.limits.map(short);
      this.bar.children[1].style.background = `linear-gradient(90deg, ${[0, 64, 128, 192, 255].map((k) => this.drawn.ramp[k]).join()})`;
      this.bar.setAttribute("aria-label", t("colours from {low} to {high}", { low: low.textContent, high: high.textContent }));
    }
    this.coloured.show(this.at);
    this.spark.draw(this.drawn, this.at);
    this.tell(this.at);
    this.figure.changed();
  }

  tell(at) {
    if (!this.drawn || at < 0) return;
    this.told.textContent = t("character {n}, {character}: {value}", { n: at, character: mark(this.characters[at]), value: short(this.drawn.values[at]) });
  }

  values() {
    if (!this.drawn) return {};
    const { unit, at, found } = this;
    return { unit, at, layer: found.layer, value: this.drawn.values[at], low: this.drawn.low, high: this.drawn.high };
  }
}
