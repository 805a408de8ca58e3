/**
 * A question about a drawn scene: the likeliest answers, where each hop of attention looked, what the
 * counter counted, and how much of each lies on each thing.
 *
 * Options: checkpoint; scene: a seed; ask: the question, "" for the first of the scene; scenes: how many
 * are offered.
 * Values for exercises: probability (of the likeliest answer); moved: the share of attention that the
 * last hop has elsewhere than the first; counted: the counter's sum; wrong: 1 where another answer is
 * known to be right; first, last: the share of the first and the last hop on what is asked about, NaN
 * where that is not known.
 */

import { answer, ApiError, scene as sceneOf } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { cellName } from "../../caption/cells.js";
import { readPicture } from "../../caption/picture.js";
import { inWords } from "../../problem.js";
import { inQuotes, make, percent, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";
import { drawScene, massOn, movedBetween } from "../scene-light.js";

const ANSWERS = 4;
const COUNTER = "counter"; // the point that says which cells count

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new QuestionView(stage, { scene: 8, ask: "", scenes: 6, ...options }, figure, about);
  await view.take(view.seed, options.ask);
  return view;
}

class QuestionView {
  constructor(stage, options, figure, about) {
    Object.assign(this, { figure, about, count: options.scenes, seed: Math.max(0, Math.round(Number(options.scene) || 0)) });
    this.first = this.seed - (this.seed % this.count);
    this.tiles = make("div", { class: "ask-scenes", role: "group", "aria-label": t("Pictures to ask about") });
    this.field = make("input", { class: "field text", type: "text", lang: "en", maxlength: "200", autocomplete: "off", "aria-label": t("Your question, in English") });
    const form = make("form", { class: "ask-form" }, this.field, make("button", { class: "button", type: "submit" }, t("Ask")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.field.value);
    });
    this.chips = make("div", { class: "ask-chips", lang: "en" });
    this.problem = make("p", { class: "broken", role: "alert" });
    this.hops = make("div", { class: "ask-hops" });
    this.answers = make("ol", { class: "ask-answers", lang: "en", "aria-label": t("Answers, likeliest first") });
    this.told = make("p", { class: "ask-told", role: "status" });
    this.shares = make("div", { class: "ask-shares" });
    const title = labLink(about);
    stage.replaceChildren(
      make("div", { class: "ask-head" }, this.tiles, title), form, this.chips, this.problem,
      make("div", { class: "ask-body" }, this.hops, make("div", {}, this.answers, this.told, this.shares)),
    );
  }

  /** Scenes to choose from. */
  offer() {
    const tiles = Array.from({ length: this.count }, (_, k) => {
      const seed = this.first + k;
      const name = t("drawn scene {seed}", { seed });
      const button = make("button", { type: "button", class: "ask-scene", title: name, "aria-label": name, "aria-pressed": String(seed === this.seed) }, make("img", { src: `/api/scenes/${seed}.png`, alt: "", width: "64", height: "64" }));
      button.addEventListener("click", () => this.take(seed));
      return button;
    });
    const more = make("button", { type: "button", class: "plain" }, t("other scenes"));
    more.addEventListener("click", () => {
      this.first += this.count;
      this.offer();
    });
    this.tiles.replaceChildren(...tiles, more);
  }

  /** Take a scene, and ask about it: what was said, or its first question. */
  async take(seed, question = "") {
    this.seed = seed;
    this.offer();
    try {
      const [response, told] = await Promise.all([fetch(`/api/scenes/${seed}.png`), sceneOf(seed)]);
      const picture = await readPicture(await response.blob(), { id: `scene-${seed}`, title: t("drawn scene {seed}", { seed }) });
      if (this.seed !== seed) return; // the reader has gone on
      Object.assign(this, { picture, things: told.objects, questions: told.questions });
      await this.ask(question || told.questions[0].question);
    } catch (error) {
      this.fail(error instanceof ApiError ? error : new ApiError({ code: "connection", message: "" }));
    }
  }

  fail(error) {
    this.problem.textContent = error ? inWords(error).filter(Boolean).join(" ") : "";
  }

  async ask(text) {
    const question = text.trim();
    const { picture, seed } = this;
    if (!question || !picture) return this.field.focus();
    this.field.value = question;
    this.figure.keep({ scene: seed, ask: question });
    const asked = (this.asked = `${seed} ${question}`);
    const data = new FormData();
    data.append("image", picture.blob);
    data.append("question", question);
    this.fail(null);
    try {
      const found = await answer(this.about.id, data, COUNTER);
      if (this.asked !== asked) return;
      this.known = this.questions.find((one) => one.question === question) ?? null;
      this.tell(found);
    } catch (error) {
      if (this.asked === asked) this.fail(error);
    }
  }

  tell(found) {
    const [hops, rows, columns] = shapeOf(found.attention);
    const attention = decode(found.attention);
    const size = rows * columns;
    const looks = Array.from({ length: hops }, (_, hop) => attention.slice(hop * size, (hop + 1) * size));
    const counts = decode(found.points[COUNTER].data);
    const probabilities = decode(found.probabilities);
    Object.assign(this, { found, looks, counts, probabilities, grid: { rows, columns } });
    this.suggest();
    this.paint();
    this.say();
    this.figure.changed();
  }

  /** The questions that are known of the scene, and their answers. */
  suggest() {
    this.chips.replaceChildren(
      ...this.questions.map(({ question }) => {
        const button = make("button", { type: "button", class: "ask-chip", "aria-pressed": String(question === this.known?.question) }, question);
        button.addEventListener("click", () => this.ask(question));
        return button;
      }),
    );
  }

  /** The scene in the light of each hop, and of the counter. */
  paint() {
    const { looks, counts, picture, things, known } = this;
    const { rows, columns } = this.grid;
    const frame = (numbers) => numbers.map((k) => things[k].box);
    const ways = [known?.named ?? [], known?.found ?? []];
    const shown = looks.map((weights, hop) => {
      const limit = Math.max(...weights);
      const last = hop === looks.length - 1;
      const told = t("hop {n}: most at {cell}, {weight}", { n: hop + 1, cell: cellName(weights.indexOf(limit), columns), weight: percent(limit) });
      return { weights, limit, told, boxes: frame(last ? ways[1] : hop === 0 ? ways[0] : []) };
    });
    shown.push({ weights: counts, limit: 1, told: t("counter: {n} in all", { n: short(counts.reduce((a, b) => a + b, 0)) }), boxes: known?.named.length ? [] : frame(ways[1]) });
    this.hops.replaceChildren(
      ...shown.map(({ weights, limit, told, boxes }) => {
        const canvas = make("canvas", { role: "img", "aria-label": told });
        drawScene(canvas, picture, { weights, rows, columns, limit }, boxes);
        const scale = make("span", { class: "ask-scale num" }, "0", make("i", {}), limit === 1 ? "1" : percent(limit));
        return make("figure", {}, canvas, make("figcaption", {}, told, scale));
      }),
    );
  }

  /** The answers, and the share of every look on every thing. */
  say() {
    const { found, probabilities, looks, counts, things, known } = this;
    const { rows, columns } = this.grid;
    this.answers.replaceChildren(
      ...found.answers.slice(0, ANSWERS).map((text, k) => {
        const bar = make("i", {});
        bar.style.transform = `scaleX(${probabilities[k]})`;
        return make("li", {}, make("b", {}, text), make("span", { class: "track" }, bar), make("span", { class: "num" }, percent(probabilities[k])));
      }),
    );
    const unknown = found.unknown.map((k) => inQuotes(found.question_tokens[k].trim()));
    const parts = unknown.length ? [t("words of the question that it does not know: {list}", { list: unknown.join(", ") })] : [];
    if (known) parts.push(known.answer === found.answers[0] ? t("that is right") : t("the right answer is {truth}", { truth: known.answer }));
    this.told.textContent = parts.join(" ");
    const head = [t("thing"), ...looks.map((_, hop) => t("hop {n}", { n: hop + 1 })), t("counter")];
    const body = things.map(({ shape, colour, box }) => {
      const mass = (weights) => massOn(weights, box, rows, columns);
      return make("tr", {}, make("th", { scope: "row", lang: "en" }, `${colour} ${shape}`), ...looks.map((weights) => make("td", { class: "num" }, percent(mass(weights)))), make("td", { class: "num" }, mass(counts).toFixed(2)));
    });
    this.shares.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...body)));
  }

  values() {
    const { found, looks, counts, probabilities, things, known } = this;
    if (!found) return {};
    const { rows, columns } = this.grid;
    const on = (weights, numbers) => (numbers?.length ? numbers.reduce((sum, k) => sum + massOn(weights, things[k].box, rows, columns), 0) : NaN);
    return {
      probability: probabilities[0], moved: movedBetween(looks[0], looks.at(-1)), counted: counts.reduce((a, b) => a + b, 0),
      wrong: Number(Boolean(known) && known.answer !== found.answers[0]), first: on(looks[0], known?.named), last: on(looks.at(-1), known?.found),
    };
  }
}
