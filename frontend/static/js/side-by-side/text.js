/** The text that everybody reads: typed, pasted, prepared, or written by a network just now. */

import { generate } from "../api.js";
import { inWords } from "../problem.js";
import { make, t } from "../words.js";

const REST = 500; // ms after typing before the text is read
const WRITTEN = 220; // characters of a text that is written now
export const LONGEST = 400; // characters

export class Text {
  /** @param {{prepared: {name: string, text: string}[], onText: (text: string) => void}} options */
  constructor({ prepared, onText }) {
    this.area = document.getElementById("text");
    this.count = document.getElementById("text-count");
    this.line = document.getElementById("text-problem");
    this.onText = onText;
    this.area.addEventListener("input", () => {
      this.measure();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.tell(), REST);
    });
    document.getElementById("prepared").replaceChildren(
      ...prepared.map(({ name, text }) => {
        const button = make("button", { class: "plain", type: "button" }, name);
        button.addEventListener("click", () => this.put(text));
        return button;
      }),
    );
    this.writer = document.getElementById("writer");
    this.seed = document.getElementById("seed");
    this.button = document.getElementById("write");
    this.button.addEventListener("click", () => this.write());
  }

  /** Who can be asked to write. */
  offer(networks) {
    const chosen = this.writer.value;
    this.writer.replaceChildren(...networks.map(({ id, name }) => make("option", { value: id }, name)));
    this.networks = networks;
    this.writer.value = networks.some(({ id }) => id === chosen) ? chosen : (networks.at(-1)?.id ?? "");
    this.button.disabled = !networks.length;
  }

  /** @param {string} text  without telling anybody */
  show(text) {
    this.area.value = text;
    this.measure();
  }

  put(text) {
    this.show(text);
    this.tell();
  }

  measure() {
    const size = Array.from(this.area.value).length;
    this.count.textContent = t("{n} of {most} characters", { n: size, most: LONGEST });
    const short = size < 3;
    this.say(size > LONGEST ? t("This page reads at most {most} characters: take {n} away.", { most: LONGEST, n: size - LONGEST }) : short ? t("Type at least three characters.") : "");
    return size <= LONGEST && !short;
  }

  tell() {
    clearTimeout(this.timer);
    if (this.measure()) this.onText(this.area.value);
  }

  say(words) {
    this.line.textContent = words;
    this.line.hidden = !words;
  }

  /** Let the chosen network write, and show it as it comes. */
  async write() {
    const { about, id } = this.networks.find((one) => one.id === this.writer.value);
    this.button.disabled = true;
    let text = "";
    try {
      const body = { prefix: about.prompt || "The ", max_new_tokens: WRITTEN, temperature: 0.8, seed: Math.max(0, Math.floor(Number(this.seed.value)) || 0), points: [] };
      let problem = null;
      await generate(id, body, undefined, (event, data) => {
        const told = JSON.parse(data);
        if (event === "step") this.show((text += told.token));
        if (event === "error") problem = told.error ?? told;
      });
      if (problem) throw problem;
      this.tell();
    } catch (error) {
      this.say(inWords(error).filter(Boolean).join(" "));
    } finally {
      this.button.disabled = false;
    }
  }
}
