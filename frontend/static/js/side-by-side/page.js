/**
 * One text through several networks: how much each character surprises each of them, where they
 * differ, and what more of the text is worth to each.
 */

import { Address } from "../address.js";
import { onRestyle } from "../color.js";
import * as exports from "../exports.js";
import { keys } from "../keyboard.js";
import { inWords } from "../problem.js";
import { Present } from "../present.js";
import { SurpriseRows, surpriseScale } from "../surprise-rows.js";
import { make, mark, pageData, percent, t } from "../words.js";
import { CharacterPanel } from "./character.js";
import { Course } from "./course.js";
import { Difference } from "./difference.js";
import * as figures from "./figures.js";
import { Memory } from "./memory.js";
import { badge, Chooser, networks, usual } from "./networks.js";
import { Numbers } from "./numbers.js";
import { mean, Readings } from "./readings.js";
import { Summary, tested } from "./summary.js";
import { Text } from "./text.js";

const FULL = 8; // bits: the deep end of the colours
const MOST = 8; // networks at once
const NEAR = "400px"; // short contexts are asked for when their figure is so near
const id = (name) => document.getElementById(name);
const ADDRESS = new Address({ text: "", with: "", a: "", b: "", given: 8, at: -1, of: "text", context: 8 });

class Page {
  constructor(all) {
    this.all = all;
    this.state = ADDRESS.read();
    this.keep = ADDRESS.writer(() => this.state);
    this.readings = new Readings();
    const prepared = pageData.prepared;
    this.state.text ||= prepared[0].text;
    this.text = new Text({ prepared, onText: (text) => this.set({ text, at: -1 }) });
    this.chooser = new Chooser(id("networks"), all, (ids) => this.choose(ids));
    this.summary = new Summary(id("summary"));
    this.rows = new SurpriseRows({ className: "named", wrap: true, onGo: (at) => this.go(at), onHover: (at) => this.look(at) });
    id("rows").append(this.rows.node);
    this.panel = new CharacterPanel(id("character"));
    this.difference = new Difference(id("difference"), id("difference-controls"), { onPair: (pair) => this.set(pair), onGo: (at) => this.go(at) });
    this.memory = new Memory(id("memory"), id("memory-controls"), (change) => this.set(change));
    this.course = new Course(id("course"), (at) => this.go(at));
    this.numbers = new Numbers(id("numbers"));
    this.text.show(this.state.text);
    onRestyle(() => this.draw());
    new ResizeObserver(() => this.resize()).observe(id("rows"));
    new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      this.near = true;
      this.remember();
    }, { rootMargin: NEAR }).observe(id("difference"));
    exports.saveButtons((what, kind) => this.save(what, kind));
  }

  /** Ids that the address names and that are here; where it names none, the usual ones. */
  get ids() {
    const asked = this.state.with.split(",").filter((one) => this.all.some((other) => other.id === one));
    return asked.length ? asked.slice(0, MOST) : usual(this.all).slice(0, MOST);
  }

  choose(ids) {
    if (!ids.length || ids.length > MOST) {
      this.say(ids.length ? t("At most {n} networks at once.", { n: MOST }) : t("Choose at least one network."));
      return this.chooser.show(this.ids);
    }
    this.say("");
    this.set({ with: ids.join(",") });
  }

  set(change) {
    Object.assign(this.state, change);
    this.keep();
    if ("text" in change || "with" in change) return this.read();
    this.draw();
  }

  say(words) {
    id("page-problem").textContent = words;
    id("page-problem").hidden = !words;
  }

  /** Every network reads the text; each is drawn when it has. */
  async read() {
    const turn = (this.turn = {});
    const { text } = this.state;
    this.tokens = Array.from(text);
    this.runs = this.ids.map((one, place) => ({ network: this.all.find((other) => other.id === one), place }));
    this.chooser.show(this.ids);
    this.text.offer(this.runs.map(({ network }) => network));
    document.body.classList.add("reading-now");
    this.draw();
    await Promise.all(
      this.runs.map(async (run) => {
        const reading = await this.readings.read(run.network.id, text);
        if (turn !== this.turn) return;
        run.reading = reading;
        this.draw();
      }),
    );
    if (turn !== this.turn) return;
    document.body.classList.remove("reading-now");
    if (this.near) this.remember();
  }

  /** Short contexts, one network after the other: each costs the server seconds. */
  async remember() {
    const { turn, runs } = this;
    if (!runs || this.remembering === turn) return;
    this.remembering = turn;
    const first = this.able.length ? this.pair[0] : null; // somebody waits for it
    for (const run of [...runs].sort((one, two) => Number(two === first) - Number(one === first))) {
      if (turn !== this.turn) return;
      const found = await this.readings.remember(run.network.id, this.state.text);
      if (turn !== this.turn) return;
      run.memory = found;
      this.draw();
    }
  }

  /** Those that could read it. */
  get able() {
    return this.runs.filter(({ reading }) => reading?.bits);
  }

  /**
   * The character looked at: where the networks differ most, unless one was chosen. One that stands
   * alone does not count: it would often be the counts, which have never seen such a beginning.
   */
  get at() {
    const { at } = this.state;
    if (at > 0 && at < this.tokens.length) return at;
    const spread = (k) => {
      const here = this.able.map(({ reading }) => reading.bits[k]).sort((one, two) => two - one);
      return here[Math.min(1, here.length - 1)] - here.at(-1);
    };
    let best = 1;
    for (let k = 2; k < this.tokens.length; k++) if (spread(k) > spread(best)) best = k;
    return best;
  }

  /** The two that are held against each other: the address's, else the last with itself. */
  get pair() {
    const { able, state } = this;
    const known = (name) => able.find(({ network }) => network.id === name) ?? able.at(-1);
    return [known(state.a), known(state.b)];
  }

  go(at) {
    this.state.at = at;
    this.keep();
    this.drawHere();
  }

  /** What is under the pointer, without going there. */
  look(at) {
    const seen = at > 0 ? at : this.at;
    if (this.able.length) this.panel.draw(this.able, this.tokens, seen);
  }

  draw() {
    if (!this.runs) return;
    const { runs, able, tokens } = this;
    this.summary.draw(runs);
    id("stage").classList.toggle("empty", !able.length);
    if (!able.length) return;
    this.drawRows();
    const [one, two] = this.pair;
    this.drawPair(one, two);
    this.course.draw(able, tokens, this.at, two);
    id("course-against").textContent = t("The level line is {name}: above it a network has needed more bits so far.", { name: two.network.name });
    this.memory.draw(able, tokens, { ...this.state, at: this.at });
    this.panel.draw(able, tokens, this.at);
    this.numbers.draw(able, tokens);
  }

  drawRows() {
    const rows = this.runs.map(({ network, place, reading }) => ({
      name: network.name,
      head: make("span", {}, badge(place), make("span", { class: "sbs-label" }, network.name)),
      label: network.name,
      values: reading?.bits ?? { length: 0 },
      title: (step) => (reading?.bits ? `${percent(reading.probability[step])}, ${t("{bits} bits", { bits: reading.bits[step].toFixed(2) })}` : ""),
      run: reading,
    }));
    this.rows.draw({ tokens: this.tokens, text: this.state.text, rows: rows.filter(({ run }) => run?.bits), full: FULL, at: this.at });
    id("scale").replaceChildren("0", surpriseScale().bar(), t("{n} bits of surprise and more", { n: FULL }));
  }

  drawPair(one, two) {
    const { given } = this.state;
    const lengths = one.memory?.lengths?.slice(0, -1) ?? (given ? [given] : []);
    this.difference.offer(this.able, lengths, { a: one.network.id, b: two.network.id, given });
    if (given && !one.memory) return this.difference.wait(t("The server reads the text again with short contexts …"));
    const row = given && one.memory?.rows ? one.memory.rows[one.memory.lengths.indexOf(given)] : null;
    this.names = { one: row ? t("{name} with the last {n} characters", { name: one.network.name, n: given }) : one.network.name, two: two.network.name };
    this.difference.draw(this.tokens, row ?? one.reading.bits, two.reading.bits, this.names, this.at);
  }

  /** Another character is looked at, nothing else has changed. */
  drawHere() {
    const { able, tokens, at } = this;
    this.rows.show(at);
    this.difference.show(at);
    this.panel.draw(able, tokens, at);
    this.course.draw(able, tokens, at, this.pair[1]);
    if (this.state.of === "character") this.memory.draw(able, tokens, { ...this.state, at });
  }

  resize() {
    const width = id("rows").clientWidth;
    if (width === this.width || !this.runs || !this.able.length) return;
    this.width = width;
    this.drawRows();
  }

  /** To the next of the places where the two differ most. */
  jump(by) {
    const { places } = this.difference;
    if (!places?.length) return;
    const ordered = places.map(({ at }) => at).sort((one, two) => one - two);
    const next = by > 0 ? ordered.find((at) => at > this.at) ?? ordered[0] : ordered.findLast((at) => at < this.at) ?? ordered.at(-1);
    this.go(next);
  }

  save(what, kind) {
    const { able, tokens, difference, memory, course, names } = this;
    if (!able.length) return;
    const rows = able.map(({ network, place, reading }) => ({ network, place, test: tested(network.about), bits: mean(reading.bits) }));
    const made = {
      summary: [() => figures.summaryFigure(rows, tokens), () => figures.summaryTable(rows)],
      rows: [() => figures.rowsFigure(able, tokens, FULL), () => figures.rowsTable(able, tokens)],
      difference: [() => figures.differenceFigure(tokens, difference.values, names, FULL), () => figures.differenceTable(tokens, difference.values, names)],
      memory: [() => figures.memoryFigure(memory.lengths, memory.curves, tokens, memory.of.selectedOptions[0].textContent), () => figures.linesTable("characters_given", memory.lengths, memory.curves)],
      course: [() => figures.linesFigure(t("Bits along the text"), course.xs, course.lines, { across: t("place in the text"), up: t("bits") }), () => figures.linesTable("place", course.xs, course.lines)],
    }[what];
    if (what === "memory" && !memory.curves) return;
    exports.save(kind, ...made, `side-by-side-${what}`, (words) => this.say(words));
  }

  /** Numbers that are shown, for the console and for tests. */
  values() {
    const [one, two] = this.pair;
    return {
      at: this.at,
      character: mark(this.tokens[this.at]),
      means: Object.fromEntries(this.able.map(({ network, reading }) => [network.id, mean(reading.bits)])),
      pair: [one.network.id, two.network.id],
      difference: Array.from(this.difference.values ?? []),
      lengths: this.memory.lengths ?? [],
      memory: Object.fromEntries((this.memory.curves ?? []).map(({ network, ys }) => [network.id, ys])),
    };
  }
}

async function start() {
  let all;
  try {
    all = await networks();
  } catch (error) {
    id("page-problem").textContent = inWords(error).filter(Boolean).join(" ");
    id("page-problem").hidden = false;
    return;
  }
  document.body.classList.add("ready");
  if (!all.length) {
    id("page-problem").textContent = t("No network here says what comes next in a text.");
    id("page-problem").hidden = false;
    return;
  }
  const page = (globalThis.page = new Page(all));
  const present = new Present(id("present"), ["rows", "difference", "memory", "course", "summary"], { onToggle: () => page.draw(), onTurn: () => page.draw() });
  keys({
    ArrowLeft: () => page.go(Math.max(1, page.at - 1)),
    ArrowRight: () => page.go(Math.min(page.tokens.length - 1, page.at + 1)),
    "[": () => page.jump(-1),
    "]": () => page.jump(1),
    "/": () => id("text").focus(),
    p: () => present.toggle(),
    PageDown: () => present.turn(1),
    PageUp: () => present.turn(-1),
  });
  if (present.on) present.turn(0);
  await page.read();
}

start();
