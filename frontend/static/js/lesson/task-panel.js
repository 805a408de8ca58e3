/** One task of the view `tasks`: what is read can be changed, its graph, and the chosen step in words. */

import { ApiError, checkpoint } from "../api.js";
import { inWords } from "../problem.js";
import { make, pageData, percent, t } from "../words.js";
import { photoRow, photos, photoTitle } from "./photos.js";
import { TaskGraph, legendOf } from "./task-graph.js";

const REST = 350; // ms after typing before the network reads

export class TaskPanel {
  /**
   * @param {string} task @param {{way: import("./tasks.js").Way, about: object}[]} networks
   * @param {{checkpoint?: string, text?: string, photo?: string}} wanted
   * @param {{onKeep: (state: object) => void, onChange: () => void}} hands
   */
  constructor(task, networks, wanted, { onKeep, onChange }) {
    Object.assign(this, { task, networks, wanted, onKeep, onChange });
    this.count = make("span", { class: "num quiet" });
    this.input = make("div", { class: "task-input" });
    this.problem = make("p", { class: "broken", role: "alert" });
    const host = make("div", {});
    this.graph = new TaskGraph(host, (column) => this.choose(column));
    this.legend = make("div", {});
    this.told = make("p", { class: "task-told", role: "status" });
    const body = networks.length
      ? [this.networkChoice(), this.input, this.problem, host, this.told, this.legend]
      : [make("p", { class: "note" }, t("no network here does this"))];
    this.element = make("section", { class: `task-panel of-${task}` }, make("h3", { class: "task-title" }, t(`task ${task}`), " ", this.count), ...body);
    if (networks.length) this.take(networks.find(({ about }) => about.id === wanted.checkpoint) ?? networks[0], wanted);
  }

  networkChoice() {
    const options = this.networks.map(({ about }) => make("option", { value: about.id }, about.title || about.id));
    this.select = make("select", { class: "plain", "aria-label": t("network") }, ...options);
    this.select.addEventListener("change", () => {
      const chosen = this.networks.find(({ about }) => about.id === this.select.value);
      this.onKeep({ checkpoint: chosen.about.id });
      this.take(chosen, {});
    });
    this.link = make("a", { class: "quieter" }, t("its lab"));
    return make("p", { class: "task-network" }, this.select, this.link);
  }

  /** Another network; it reads what is wanted, else what it is shown with first. */
  async take(network, wanted) {
    this.network = network;
    const { id } = network.about;
    this.select.value = id;
    this.link.href = `/${pageData.language}/lab/${id}`;
    try {
      const about = await checkpoint(id);
      if (this.network !== network) return;
      if (about.status !== "ready") throw new ApiError({ code: "checkpoint_failed", message: about.reason || about.status });
      this.about = about;
      const usual = network.way.input ?? {};
      this.text = wanted.text ?? usual.text ?? about.prompt ?? "";
      this.photo = photos.includes(wanted.photo) ? wanted.photo : (usual.photo ?? photos[0]);
      this.input.replaceChildren(this.controls(network.way.takes));
      await this.run();
    } catch (error) {
      this.failed(error);
    }
  }

  controls(takes) {
    if (takes === "photo") return photoRow(this.photo, (photo) => this.set({ photo }));
    const character = takes === "character";
    const field = make("input", { class: character ? "field num character" : "field text", type: "text", value: this.text, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": t(character ? "the character that is read" : "the text that is read") });
    if (character) field.addEventListener("focus", () => field.select());
    field.addEventListener("input", () => {
      if (character) field.value = Array.from(field.value).at(-1) ?? ""; // the last that was typed
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.set({ text: field.value }), character ? 0 : REST);
    });
    return field;
  }

  set(change) {
    Object.assign(this, change);
    this.onKeep({ checkpoint: this.about.id, ...change });
    this.run().catch((error) => this.failed(error));
  }

  async run() {
    this.abort?.abort();
    if (this.network.way.takes !== "photo" && !this.text) return;
    const abort = (this.abort = new AbortController());
    this.element.classList.add("busy");
    const found = await this.network.way.run(this.about, { text: this.text, photo: this.photo }, abort.signal);
    if (abort.signal.aborted) return;
    this.drawing = found;
    this.problem.textContent = "";
    this.element.classList.remove("busy");
    this.count.textContent = `${found.read} → ${found.written}`;
    this.legend.replaceChildren(legendOf([found]));
    this.graph.show(found, this.words());
    this.choose(found.answer ? -1 : found.columns.findIndex(({ y }) => y !== null));
    this.graph.reveal();
  }

  failed(error) {
    if (error.name === "AbortError") return;
    this.element.classList.remove("busy");
    if (!(error instanceof ApiError)) throw error;
    this.problem.textContent = inWords(error).filter(Boolean).join(" ");
  }

  /** The whole graph for a listener. */
  words() {
    const { columns, answer, photo } = this.drawing;
    const read = photo ? [photoTitle(photo)] : columns.filter(({ x, fed, sign }) => x !== null && !fed && !sign).map(({ x }) => x);
    const written = answer ? [answer.y] : columns.filter(({ y }) => y !== null).map(({ y }) => y);
    return t("{task}. Read: {read}. Written: {written}.", { task: t(`task ${this.task}`), read: read.join(" "), written: written.join(" ") });
  }

  choose(k) {
    const { drawing, graph, told } = this;
    graph.choose(k);
    const column = drawing.columns[k] ?? { x: null, ...drawing.answer };
    const facts = [];
    if (drawing.columns[k]) facts.push(t("step {n}", { n: k + 1 }));
    if (column.x !== null) facts.push(t(column.fed ? "reads what it has written: {x}" : "reads {x}", { x: column.x }));
    told.replaceChildren(facts.join(" · "));
    if (column.top) {
      const leading = t(column.y === null ? "if it ended here" : "likeliest");
      const items = column.top.flatMap(({ token, probability }) => [make("span", { class: "task-candidate" }, make("b", {}, token), ` ${percent(probability)}`), " "]);
      told.append(`${facts.length ? " · " : ""}${leading}: `, ...items);
    } else told.append(` · ${t("writes nothing yet")}`);
    this.share = column.share;
    this.onChange();
  }

  values() {
    const { drawing } = this;
    if (!drawing) return {};
    const { read, written, columns, shares = {} } = drawing;
    const of = Object.fromEntries(Object.entries(shares).map(([name, share]) => [`is ${name}`, share]));
    return { steps_in: read, steps_out: written, more: written - read, steps: columns.length, probability: this.share ?? NaN, ...of };
  }
}
