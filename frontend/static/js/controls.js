/** The text control and its options: write, stop, step, back, fork, and how characters are drawn. */

import { Present } from "./present.js";
import { DASHES } from "./unit-chart.js";
import { make, nameOf, t } from "./words.js";

const TYPING = 160; // ms after the last key before the text is read
const FIGURES = ["reading", "graph", "maps", "chart"];
const get = (id) => document.getElementById(id);

export class Controls {
  /** @param {any} lab */
  constructor(lab) {
    this.lab = lab;
    this.target = 0;
    this.prompt = get("prompt");
    this.fields = ["temperature", "top_k", "top_p", "seed", "length", "pace"].map(get);
    const { prompt } = this;
    prompt.addEventListener("input", () => {
      this.grow();
      lab.problem.clear();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.read(), TYPING);
    });
    prompt.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.write();
      } else if (event.key === "Escape") prompt.blur();
    });
    get("write").addEventListener("click", () => this.write());
    get("stop").addEventListener("click", () => this.stop());
    get("step").addEventListener("click", () => this.step());
    get("back").addEventListener("click", () => lab.go(lab.axis.at - 1));
    get("dice").addEventListener("click", () => {
      get("seed").value = String(Math.floor(Math.random() * 10_000));
      this.write();
    });
    for (const field of this.fields) field.addEventListener("change", () => this.optionChanged(field));
    get("temperature").addEventListener("input", () => this.tellTemperature());
    get("open-help").addEventListener("click", () => get("help").showModal());
    this.present = new Present(get("present"), FIGURES, {
      first: "graph",
      onToggle: (on) => lab.axis.zoom(lab.axis.columnWidth * (on ? 1.5 : 1 / 1.5)),
      onTurn: () => lab.wake(),
    });
    get("panel-handle").addEventListener("click", () => get("panel").classList.toggle("open"));
    get("checkpoint").addEventListener("change", (event) => {
      location.href = `${event.target.value}${location.search.replace(/([?&])(unit|layer|points|at)=[^&]*/g, "$1")}`;
    });
    this.last = "";
  }

  /** Start as the address says: write again, or read what is there. */
  begin(state) {
    const text = state.prefix || this.lab.about.prompt || "";
    this.prompt.value = text;
    get("temperature").value = String(state.temperature);
    get("top_k").value = String(state.top_k);
    get("top_p").value = String(state.top_p);
    get("seed").value = String(state.seed);
    get("length").value = String(this.lab.about.sampling?.length ?? 200);
    this.tellTemperature();
    this.grow();
    if (state.n > 0 && text) {
      get("length").value = String(state.n);
      this.run(text, state.n, 0, text);
    } else if (text) this.read();
  }

  sampling() {
    const number = (id, fallback) => {
      const field = get(id);
      const value = Number(field.value);
      return field.value.trim() === "" || !Number.isFinite(value) ? fallback : Math.max(Number(field.min), Math.min(Number(field.max), value));
    };
    return {
      temperature: number("temperature", 0.8),
      top_k: Math.round(number("top_k", 0)),
      top_p: number("top_p", 1),
      seed: Math.round(number("seed", 7)),
    };
  }

  get length() {
    return Math.max(1, Math.min(5000, Math.round(Number(get("length").value) || 200)));
  }

  read() {
    const { lab, prompt } = this;
    clearTimeout(this.timer);
    this.last = "";
    this.target = 0;
    this.again = () => this.read();
    lab.axis.follow();
    lab.session.read(prompt.value).then(() => lab.saveAddress());
    lab.compare.mirror(prompt.value, 0);
  }

  toggle() {
    if (this.lab.session.busy) this.stop();
    else this.write();
  }

  /** Write on from the end; from the prefix again where the way of drawing has changed. */
  write() {
    const { session, store } = this.lab;
    const text = this.prompt.value;
    clearTimeout(this.timer);
    if (!text) return this.prompt.focus();
    if (session.busy) this.stop();
    const { given } = session;
    if (session.prefix !== text || store.length < given) return this.run(text, this.length, 0, text);
    const again = store.length > given && this.last !== this.way;
    this.run(text, this.length, again ? given : store.length);
  }

  /** All that decides which characters are drawn. */
  get way() {
    return JSON.stringify(this.sampling());
  }

  run(text, count, start, inserted = "") {
    const { lab } = this;
    const { given } = lab.session;
    const continued = !inserted && start > given;
    lab.session.pace = Math.max(0, Number(get("pace").value) || 0);
    this.last = this.way;
    this.again = () => this.run(text, count, start, inserted);
    this.target = inserted ? count : start + count - given;
    if (lab.wanted === undefined || lab.wanted < 0) lab.axis.follow();
    lab.session.write(count, this.sampling(), start, inserted);
    const { compare } = lab;
    if (compare.session2) {
      compare.session2.pace = lab.session.pace;
      if (continued) compare.session2.write(count, this.sampling());
      else compare.mirror(text, count, this.sampling());
    }
    lab.saveAddress();
  }

  stop() {
    this.lab.session.stop();
    this.lab.compare.session2?.stop();
  }

  /** The next step: of what is there, or one more character. */
  step() {
    const { axis, store, session } = this.lab;
    if (session.busy) this.stop();
    if (axis.at >= 0 && axis.at < store.length - 1) return this.lab.go(axis.at + 1);
    if (store.length) this.run(this.prompt.value, 1, store.length);
  }

  /** Another character at `at`; the text goes on from the state before it. */
  fork(at, token) {
    const { store, session } = this.lab;
    if (session.busy) this.stop();
    const text = store.text(0, at) + token;
    this.prompt.value = text;
    this.grow();
    this.run(text, this.length, at, token);
    this.say(t("forked at step {n}", { n: at }));
  }

  /** Characters that were asked for and are not there, where writing was cut off in the middle. */
  get missing() {
    const { session, store } = this.lab;
    const written = store.length - session.given;
    const cut = session.error && session.prefix === this.prompt.value && written > 0;
    return cut ? Math.max(0, this.target - written) : 0;
  }

  /** Go on from where it was cut off, with the draws that would have come; else all of it again. */
  retry() {
    const { missing } = this;
    if (missing) this.run(this.prompt.value, missing, this.lab.store.length);
    else this.again?.();
  }

  optionChanged(field) {
    const { session } = this.lab;
    if (field.id === "pace") session.pace = Math.max(0, Number(field.value) || 0);
    this.lab.saveAddress();
    this.lab.wake();
  }

  tellTemperature() {
    get("temperature-out").textContent = Number(get("temperature").value).toFixed(2).replace(/0$/, "");
  }

  /** As many lines as the text has, up to four. */
  grow() {
    const { prompt } = this;
    prompt.style.height = "auto";
    prompt.style.height = `${prompt.scrollHeight}px`;
  }

  /** Buttons as the session stands. */
  show() {
    const { busy, state } = this.lab.session;
    get("write").hidden = busy;
    get("stop").hidden = !busy;
    document.body.classList.toggle("busy", state !== "idle");
    if (!busy && this.wasBusy) this.say(t("{n} characters", { n: this.lab.store.length }));
    this.wasBusy = busy;
  }

  say(text) {
    if (get("live").textContent !== text) get("live").textContent = text;
  }

  /** Which line is which quantity. */
  legend(host, letters) {
    host.replaceChildren(
      ...letters.map((letter) => {
        const line = make("span", { class: `line-key ${DASHES[letter]}` });
        line.style.color = `var(--q-${letter})`;
        return make("li", {}, line, make("i", { class: `q q-${letter}` }, letter), ` ${nameOf(letter)}`);
      }),
    );
  }
}
