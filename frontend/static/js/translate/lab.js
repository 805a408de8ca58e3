/** The lab of a translator: brings the views together on one sentence and one link. */

import { checkpoint as fetchCheckpoint } from "../api.js";
import { forgetColors } from "../color.js";
import { loadPlotly, plotly } from "../plotly.js";
import { Present } from "../present.js";
import { Problem } from "../problem.js";
import { refuse } from "../refuse.js";
import { pageData, t } from "../words.js";
import { Alignment } from "./alignment.js";
import { ArithmeticPanel } from "./arithmetic-panel.js";
import { BeamTree } from "./beam-tree.js";
import { Choices } from "./choices.js";
import { Graph } from "./graph.js";
import { translatorKeys } from "./keys.js";
import { LengthChart } from "./length-chart.js";
import { Link } from "./link.js";
import { Partner } from "./partner.js";
import { TranslationSaver } from "./saver.js";
import { Sentence } from "./sentence.js";
import { States } from "./states.js";
import { Steering } from "./steering.js";
import { StepPanel } from "./step-panel.js";
import { TokenStrip } from "./token-strip.js";
import { Translation } from "./translation.js";
import { ADDRESS, elsewhere } from "./url-state.js";

const REST = 160; // ms without movement before Plotly draws
const FIGURES = ["text", "graph", "alignment", "beam", "states", "partner"];
const get = (id) => document.getElementById(id);

class TranslateLab {
  constructor(about) {
    this.about = about;
    ADDRESS.wish(about.search);
    this.state = ADDRESS.read();
    this.translation = new Translation(about);
    this.link = new Link();
    this.saveAddress = ADDRESS.writer(() => this.address());
    this.build();
    this.listen();
    this.restore();
  }

  build() {
    const { about, translation, link } = this;
    const wake = () => this.wake();
    this.sentence = new Sentence({
      about,
      onRun: () => this.steering.begin(),
      onStop: () => this.steering.stop(),
      onOption: (which) => this.optionChanged(which),
      onTyping: () => this.problem.clear(),
    });
    this.partner = new Partner(get("partner-body"), { translation, link, wake, onChange: () => this.partnered() });
    const steering = (this.steering = new Steering({ translation, link, sentence: this.sentence, partner: this.partner, onRun: () => this.saveAddress() }));
    const { edits, former } = steering;
    const onForce = (target, source) => steering.look(target, source);
    const onRelease = (step) => steering.release(step);
    const score = about.config?.attention ?? "none";
    this.problem = new Problem(get("problem"), { prompt: get("prompt"), mirror: get("mirror"), onRetry: () => steering.run() });
    this.strips = ["source", "target"].map((side) => new TokenStrip(get(`${side}-tokens`), side, {
      translation, link, label: t(`${side} words`),
      onChoose: (k) => (side === "source" ? link.choose(link.pin.target, k) : this.go(k)),
    }));
    this.choices = new Choices(get("choices"), { translation, former, edits, onRemove: (edit) => steering.takeBack(edit), onClear: () => steering.takeBack() });
    this.graph = new Graph(get("graph"), { translation, link, onForce, onGo: (target) => this.go(target) });
    this.alignment = translation.attends ? new Alignment(get("alignment"), { translation, link, onForce, onRelease, label: t("alignment: rows are words written, columns words read. Arrows move, Enter makes the row look there.") }) : null;
    this.tree = new BeamTree(get("beam-tree"), { translation, link, onTake: (tokens) => steering.read(tokens) });
    this.lengths = new LengthChart(get("length-chart"), { checkpoints: [about] });
    this.step = new StepPanel(get("step-panel"), { translation, link, onTake: (step, token) => steering.take(step, token) });
    this.arithmetic = new ArithmeticPanel(get("arithmetic"), { translation, link, score, onForce, onRelease, onUnit: () => this.saveAddress() });
    this.saver = new TranslationSaver(this);
    this.states = ["source", "target"].map((side) => {
      const states = new States(get(`${side}-states`), side, { translation, link, wake, onSave: (map, kind) => this.saver.map(map, kind, states) });
      return states;
    });
    const there = FIGURES.filter((name) => document.querySelector(`.${name}-figure`));
    this.present = new Present(get("present"), there, { onTurn: wake, onToggle: wake });
  }

  listen() {
    const { translation, link, steering } = this;
    for (const type of ["source", "step", "beam"]) translation.addEventListener(type, () => this.came());
    translation.addEventListener("done", () => this.done());
    translation.addEventListener("state", () => this.changed());
    translation.addEventListener("problem", () => this.problem.show(translation.error));
    steering.former.addEventListener("done", () => this.came());
    link.addEventListener("change", () => {
      if (link.pin !== this.pinned) {
        this.pinned = link.pin;
        if (link.pin.target >= 0) get("panel").classList.add("open");
        this.saveAddress();
      }
      this.wake();
    });
    const restyle = () => {
      forgetColors();
      this.sentence.grow();
      for (const states of this.states) states.restyle();
      this.wake();
    };
    new MutationObserver(restyle).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-present"] });
    new ResizeObserver(() => this.wake()).observe(get("stage"));
    document.fonts?.ready.then(() => this.wake());
    get("open-help").addEventListener("click", () => get("help").showModal());
    get("panel-handle").addEventListener("click", () => get("panel").classList.toggle("open"));
    get("checkpoint").addEventListener("change", (event) => (location.href = elsewhere(event.target.value)));
    get("partner").addEventListener("change", () => this.partner.choose(get("partner").value));
    get("search").addEventListener("click", () => steering.search());
    get("states-figure").addEventListener("toggle", () => this.wake());
    this.alignment?.choice.addEventListener("change", () => this.saveAddress());
    translatorKeys(this);
  }

  /** The page as its address describes it. */
  restore() {
    const { state, steering, sentence } = this;
    sentence.text = state.text || this.about.prompt || "";
    sentence.options = { beam_size: state.beam, length_penalty: state.penalty, max_new_tokens: state.most };
    sentence.pace = state.pace;
    if (state.text) steering.edits.restore(state);
    steering.wanted = /^(\d+)-(\d+)$/.exec(state.text ? state.cell : "")?.slice(1).map(Number) ?? null;
    this.arithmetic.unit = Math.round(state.unit);
    this.alignment?.show(state.map);
    get("length-head").hidden = !this.lengths.any;
    if (state.partner) {
      get("partner").value = state.partner;
      this.partner.choose(get("partner").value);
    }
    if (this.present.on) this.present.turn(0);
    if (sentence.text) steering.run();
    this.wake();
  }

  address() {
    const { sentence, steering, link, arithmetic, alignment, partner } = this;
    const { beam_size, length_penalty, max_new_tokens } = sentence.options;
    const { target, source } = link.pin;
    return {
      text: steering.text ?? sentence.text,
      beam: beam_size,
      penalty: length_penalty,
      most: max_new_tokens,
      pace: sentence.pace,
      ...steering.edits.words,
      cell: target >= 0 ? `${target}-${Math.max(0, source)}` : "",
      unit: arithmetic.unit,
      map: alignment?.quantity ?? "weight",
      partner: partner.id,
    };
  }

  optionChanged(which) {
    this.sentence.show(this.translation.busy);
    this.saveAddress();
    if (which === "pace") this.translation.pace = this.sentence.pace;
    else if (this.steering.text !== null) this.steering.run();
  }

  /** Choose a step, and where it looks most. */
  go(step) {
    const { link } = this;
    link.choose(step, link.pin.target === step && link.pin.source >= 0 ? link.pin.source : this.strongest(step));
  }

  /** Where a step looks most; -1 where it does not look. */
  strongest(step) {
    const row = this.translation.target[step]?.attention;
    return row ? row.indexOf(Math.max(...row)) : -1;
  }

  /** Something was read, written or searched. */
  came() {
    const { translation, link, steering } = this;
    if (steering.wanted && translation.target.length > steering.wanted[0]) {
      const [step, source] = steering.wanted;
      link.choose(step, source ?? this.strongest(step));
      steering.wanted = null;
    }
    this.stale = true;
    this.wake();
  }

  done() {
    const { translation, link, steering } = this;
    link.limit(translation.target.length, translation.source.length);
    steering.done();
    this.alignment?.describe();
    for (const states of this.states) if (states.maps.orderKind !== "index") states.maps.reorder(states.maps.orderKind);
    this.partner.compare();
    this.sentence.tell(translation);
    this.came();
  }

  changed() {
    this.sentence.show(this.translation.busy);
    this.wake();
  }

  partnered() {
    const { about, partner, steering } = this;
    this.lengths.set([about, partner.about].filter(Boolean));
    get("length-head").hidden = !this.lengths.any;
    if (steering.text !== null) partner.run(steering.plain);
    this.saveAddress();
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.tick(now));
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.settle(), REST);
  }

  /** One frame: draw what has changed. */
  tick(now) {
    this.frame = null;
    const { translation } = this;
    if (this.stale) {
      this.stale = false;
      const changed = this.choices.draw();
      this.strips[0].build();
      this.strips[1].build(changed);
      this.notes();
    }
    for (const strip of this.strips) strip.paint();
    get("stage").classList.toggle("empty", !translation.source.length);
    let more = this.graph.draw(now) === true;
    more = this.alignment?.draw(now) || more;
    this.tree.draw();
    this.lengths.draw();
    this.step.draw();
    this.arithmetic.draw();
    if (get("states-figure").open) for (const states of this.states) states.draw();
    more = this.partner.draw(now) || more;
    if (more) this.wake();
  }

  /** What has to be said about this text. */
  notes() {
    const { translation } = this;
    const copied = translation.source.filter((token) => token.copied).map(({ token }) => `“${token}”`);
    const notes = [];
    if (copied.length) notes.push(t("not in its vocabulary: {list}. It reads such a word as <unk>, and where it writes <unk> the word is copied.", { list: copied.join(", ") }));
    if (translation.whole && !translation.ended) notes.push(t("cut off: it did not end by itself"));
    get("text-note").textContent = notes.join(" ");
    get("text-note").hidden = !notes.length;
    get("search").hidden = translation.tree.length > 0 && !translation.busy;
  }

  /** When nothing has moved for a while: what is dear, one piece at a time. */
  settle() {
    if (this.translation.busy || !get("states-figure").open) return;
    const Plotly = plotly();
    if (!Plotly) {
      loadPlotly(pageData.plotly_url).then(() => this.settle(), () => {});
    } else if (this.states.some((states) => states.settle(Plotly))) {
      this.restTimer = setTimeout(() => this.settle(), 30);
    }
  }
}

async function open() {
  let about = pageData.checkpoint;
  try {
    if (about.status !== "ready") about = await fetchCheckpoint(about.id);
    if (about.status !== "ready") throw new Error(about.reason || about.status);
  } catch (error) {
    refuse(error);
    return;
  }
  document.body.classList.add("ready");
  globalThis.lab = new TranslateLab(about); // for the console, and for tests of the page
}

open();
