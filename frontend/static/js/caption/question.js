/**
 * A question about a picture: the likeliest answers, and where each hop of attention looked. The
 * network has learned from drawn scenes, so those are offered first.
 */

import { answer, ApiError, scene } from "../api.js";
import { decode, shapeOf } from "../arrays.js";
import { hue, sequential } from "../color.js";
import { saveCsv, saveDrawing } from "../exports.js";
import { full, inQuotes, make, percent, short, t } from "../words.js";
import { cellName } from "./cells.js";
import { sheet } from "./figures.js";
import { paintLight } from "./light.js";
import { readPicture } from "./picture.js";
import { STRANGE } from "./trust.js";

const SCENES = 6; // offered at a time
const ANSWERS = 6;
const SUGGESTED = 6;
const COUNTER = "counter"; // the point that says which cells count

export class Question {
  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {string} options.id  the checkpoint that answers
   * @param {(() => import("./picture.js").Picture|null)|null} options.photo  of the page
   * @param {{scene: number, ask: string}} options.state  of the address
   * @param {() => void} options.onAsk  the state has changed
   * @param {(error: ApiError|null) => void} options.onProblem @param {(words: string) => void} options.say
   */
  constructor(host, { id, photo, state, onAsk, onProblem, say }) {
    Object.assign(this, { host, id, photo, onAsk, onProblem, say, withPhoto: Boolean(photo) });
    const seed = Math.max(1, Math.round(state.scene));
    this.first = seed - ((seed - 1) % SCENES); // seed of the first scene that is offered
    this.asked = { scene: seed, ask: "" };
    this.picture = null;
    this.pick = host.querySelector(".scenes");
    this.field = host.querySelector("input");
    this.suggested = host.querySelector(".suggested");
    this.hops = host.querySelector(".hops");
    this.answers = host.querySelector(".answers");
    this.line = host.querySelector(".answer-line");
    host.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    this.offer();
    this.whenSeen(async () => {
      await this.draw(seed);
      if (!state.ask) return;
      this.field.value = state.ask;
      this.ask();
    });
  }

  /** Do it once a reader has come here. */
  whenSeen(begin) {
    const watch = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      watch.disconnect();
      begin();
    }, { rootMargin: "200px" });
    watch.observe(this.host);
  }

  /** Scenes to choose from, and the photo of the page. */
  offer() {
    const tiles = Array.from({ length: SCENES }, (_, k) => {
      const seed = this.first + k;
      const image = make("img", { src: `/api/scenes/${seed}.png`, alt: "", loading: "lazy", width: "64", height: "64" });
      const button = make("button", { type: "button", class: "photo scene", "data-scene": String(seed), "aria-pressed": "false", "aria-label": t("drawn scene {seed}", { seed }) }, image);
      button.addEventListener("click", () => this.draw(seed));
      return button;
    });
    const more = make("button", { type: "button", class: "plain" }, t("other scenes"));
    more.addEventListener("click", () => {
      this.first += SCENES;
      this.offer();
      this.mark();
    });
    const own = make("button", { type: "button", class: "plain", "data-scene": "photo" }, t("the photo above"));
    own.addEventListener("click", () => this.photo() && this.take(this.photo(), "photo", []));
    own.hidden = !this.withPhoto;
    this.pick.replaceChildren(...tiles, more, own);
  }

  /** Take a drawn scene. @param {number} seed */
  async draw(seed) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const [response, told] = await Promise.all([fetch(`/api/scenes/${seed}.png`), scene(seed)]);
      const picture = await readPicture(await response.blob(), { id: `scene-${seed}`, title: t("drawn scene {seed}", { seed }) });
      if (turn !== this.turn) return;
      this.asked = { scene: seed, ask: "" };
      this.take(picture, String(seed), told.questions);
    } catch (error) {
      this.onProblem(error instanceof ApiError ? error : new ApiError({ code: "connection", message: "" }));
    }
  }

  take(picture, name, questions) {
    Object.assign(this, { picture, name });
    this.mark();
    this.suggested.replaceChildren(
      ...questions.slice(0, SUGGESTED).map(({ question }) => {
        const button = make("button", { type: "button", class: "example" }, question);
        button.addEventListener("click", () => {
          this.field.value = question;
          this.ask();
        });
        return button;
      }),
    );
    this.found = null;
    this.answers.replaceChildren();
    this.line.textContent = "";
    this.frames([null]);
    this.truths = new Map(questions.map(({ question, answer: truth }) => [question, truth]));
    this.field.value = questions[0]?.question ?? this.field.value;
    this.say(picture.title);
  }

  mark() {
    for (const button of this.pick.querySelectorAll("[data-scene]")) button.setAttribute("aria-pressed", String(button.dataset.scene === this.name));
  }

  /** Ask what stands in the field. */
  async ask() {
    const { field, picture } = this;
    const question = field.value.trim();
    if (!question || !picture) return field.focus();
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.onProblem(null);
    this.host.classList.add("asking");
    try {
      const found = await this.send(picture, question, abort.signal);
      if (abort !== this.abort) return;
      this.tell(found, question);
      this.asked = { ...this.asked, ask: this.name === "photo" ? "" : question }; // a photo is not in the address
      this.onAsk();
    } catch (error) {
      if (error.name !== "AbortError") this.onProblem(error);
    } finally {
      if (abort === this.abort) this.host.classList.remove("asking");
    }
  }

  async send(picture, question, signal) {
    const form = (name, what) => {
      const data = new FormData();
      data.append(name, what);
      data.append("question", question);
      return answer(this.id, data, COUNTER, signal);
    };
    if (picture.key) {
      try {
        return await form("key", picture.key);
      } catch (error) {
        if (error.code !== "unknown_picture") throw error;
      }
    }
    return form("image", picture.blob);
  }

  /** The answers, and the picture in the light of every hop. */
  tell(found, question) {
    Object.assign(this, { found, question });
    const truth = this.truths.get(question) ?? ""; // where it is known
    this.picture.key = found.image.key;
    const probabilities = decode(found.probabilities);
    const [hops, rows, columns] = shapeOf(found.attention);
    const attention = decode(found.attention);
    const each = rows * columns;
    const looks = Array.from({ length: hops }, (_, hop) => {
      const weights = attention.subarray(hop * each, (hop + 1) * each);
      const limit = Math.max(...weights);
      return { weights, rows, columns, limit, told: t("hop {n}: most at {cell}, {weight}", { n: hop + 1, cell: cellName(weights.indexOf(limit), columns), weight: percent(limit) }) };
    });
    const counts = decode(found.points[COUNTER].data);
    const sum = counts.reduce((a, b) => a + b, 0);
    this.frames([...looks, { weights: counts, rows, columns, limit: 1, told: t("counter: {n} in all", { n: short(sum) }) }]);
    const ramp = sequential(hue("y"));
    this.answers.replaceChildren(
      ...found.answers.slice(0, ANSWERS).map((text, k) => {
        const bar = make("i", { class: "chance" });
        bar.style.transform = `scaleX(${probabilities[k]})`;
        bar.style.background = ramp.css[Math.round(90 + 130 * probabilities[k])];
        return make("li", { class: "candidate word", title: full(probabilities[k]) }, make("b", {}, text), make("span", { class: "track" }, bar), make("span", { class: "num" }, percent(probabilities[k])));
      }),
    );
    const unknown = (found.unknown ?? []).map((k) => inQuotes(found.question_tokens[k].trim()));
    const strange = found.familiarity ? found.familiarity.share < STRANGE : this.name === "photo";
    const parts = strange ? [t("unlike the drawn scenes")] : [];
    if (unknown.length) parts.push(t("words of the question that it does not know: {list}", { list: unknown.join(", ") }));
    if (truth) parts.push(truth === found.answers[0] ? t("that is right") : t("the right answer is {truth}", { truth }));
    this.line.textContent = parts.join(" ");
    this.say(t("answer: {answer}, {share}", { answer: found.answers[0], share: percent(probabilities[0]) }));
  }

  /** Keep what is shown. @param {"png"|"svg"|"csv"} kind */
  async save(kind) {
    const { found, id, lights, picture } = this;
    if (!found) return;
    const name = `${id}-answer`;
    if (kind === "csv") return saveCsv(this.rows(), name);
    const title = `${id}: ${this.question} ${found.answers[0]}`;
    try {
      await saveDrawing(sheet(title, picture, lights.map((light) => ({ light, word: "", numbers: light.told }))), kind, name);
    } catch {
      this.say(t("The picture could not be made."));
    }
  }

  /** One row an answer, then one a cell of every light. */
  rows() {
    const { found, lights } = this;
    const probabilities = decode(found.probabilities);
    return [
      ["question", "answer", "probability", "light", "row", "column", "weight"],
      ...found.answers.map((text, k) => [this.question, text, probabilities[k], "", "", "", ""]),
      ...lights.flatMap(({ told, weights, columns }) => Array.from(weights, (weight, k) => [this.question, "", "", told, Math.floor(k / columns), k % columns, weight])),
    ];
  }

  /** The picture once in every light. @param {({weights, rows, columns, limit, told: string}|null)[]} lights */
  frames(lights) {
    this.lights = lights;
    this.hops.replaceChildren(
      ...lights.map((light) => {
        const { picture } = this;
        const canvas = make("canvas", { role: "img" });
        const scale = Math.min(1, 448 / Math.max(picture.width, picture.height));
        Object.assign(canvas, { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
        paintLight(canvas.getContext("2d"), picture, light);
        const told = light?.told ?? picture.title;
        canvas.setAttribute("aria-label", told);
        return make("figure", { class: "hop" }, canvas, make("figcaption", { class: "note" }, told));
      }),
    );
  }
}
