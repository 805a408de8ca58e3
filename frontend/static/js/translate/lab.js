/** The lab of a translator: brings the views together on one sentence and one link. */

import { onRestyle } from "../color.js";
import { ArithmeticPanel } from "../decoder/arithmetic-panel.js";
import { strongestOf } from "../decoder/arithmetic.js";
import { BeamTree } from "../decoder/beam-tree.js";
import { Choices } from "../decoder/choices.js";
import { DecoderLab } from "../decoder/lab.js";
import { Link } from "../decoder/link.js";
import { States } from "../decoder/states.js";
import { Steering } from "../decoder/steering.js";
import { StepPanel } from "../decoder/step-panel.js";
import { TokenStrip } from "../decoder/token-strip.js";
import { openLab } from "../open-lab.js";
import { Present } from "../present.js";
import { Problem } from "../problem.js";
import { pageData, t } from "../words.js";
import { Alignment } from "./alignment.js";
import { Graph } from "./graph.js";
import { translatorKeys } from "./keys.js";
import { LengthChart } from "./length-chart.js";
import { note } from "./notes.js";
import { Partner } from "./partner.js";
import { addressOf, restore } from "./permalink.js";
import { TranslationSaver } from "./saver.js";
import { Sentence } from "./sentence.js";
import { Translation } from "./translation.js";
import { ADDRESS, elsewhere } from "./url-state.js";

const FIGURES = ["text", "graph", "alignment", "beam", "states", "partner"];
const get = (id) => document.getElementById(id);

class TranslateLab extends DecoderLab {
  constructor(about) {
    super();
    this.about = about;
    ADDRESS.wish(about.search);
    this.state = ADDRESS.read();
    this.run = new Translation(about);
    this.link = new Link();
    this.saveAddress = ADDRESS.writer(() => addressOf(this));
    this.build();
    this.listen();
    restore(this);
  }

  build() {
    const { about, run, link } = this;
    const wake = () => this.wake();
    this.desk = new Sentence({
      about,
      onRun: () => this.steering.begin(),
      onStop: () => this.steering.stop(),
      onOption: (which) => this.optionChanged(which),
      onTyping: () => this.problem.clear(),
    });
    this.partner = new Partner(get("partner-body"), { translation: run, link, wake, onChange: () => this.partnered() });
    const steering = (this.steering = new Steering({ run, former: new Translation(about), link, desk: this.desk, partner: this.partner, onRun: () => this.saveAddress() }));
    const { edits, former } = steering;
    const onForce = (target, source) => steering.look(target, source);
    const onRelease = (step) => steering.release(step);
    this.problem = new Problem(get("problem"), { prompt: get("prompt"), mirror: get("mirror"), onRetry: () => steering.ask() });
    this.strips = ["source", "target"].map((side) => new TokenStrip(get(`${side}-tokens`), side, {
      run, link, label: t(`${side} words`),
      onChoose: (k) => (side === "source" ? link.choose(link.pin.target, k) : this.go(k)),
    }));
    this.choices = new Choices(get("choices"), { run, former, edits, onRemove: (edit) => steering.takeBack(edit), onClear: () => steering.takeBack(), after: () => document.querySelector(".actions .primary:not([hidden])") });
    this.graph = new Graph(get("graph"), { translation: run, link, onForce, onGo: (target) => this.go(target) });
    this.alignment = run.attends ? new Alignment(get("alignment"), { translation: run, link, onForce, onRelease, label: t("alignment: rows are words written, columns words read. Arrows move, Enter makes the row look there.") }) : null;
    this.tree = new BeamTree(get("beam-tree"), { run, link, onTake: (tokens) => steering.read(tokens) });
    this.lengths = new LengthChart(get("length-chart"), { checkpoints: [about, pageData.pair].filter(Boolean) });
    this.step = new StepPanel(get("step-panel"), { run, link, onTake: (step, token) => steering.take(step, token) });
    this.arithmetic = new ArithmeticPanel(get("arithmetic"), { run, link, score: about.config?.attention ?? "state", onForce, onRelease, onUnit: () => this.saveAddress() });
    this.saver = new TranslationSaver(this);
    this.states = ["source", "target"].map((side) => {
      const states = new States(get(`${side}-states`), side, { run, link, wake, onSave: (map, kind) => this.saver.map(map, kind, states) });
      return states;
    });
    this.present = new Present(get("present"), FIGURES.filter((name) => document.querySelector(`.${name}-figure`)), { onTurn: () => this.turned(), onToggle: wake });
  }

  listen() {
    const { link } = this;
    this.attend(elsewhere);
    link.addEventListener("change", () => {
      if (link.pin !== this.pinned) {
        this.pinned = link.pin;
        // On a telephone the panel opens for what a finger chose, not over words that are changing.
        if (link.pin.target >= 0 && !this.guided) get("panel").classList.add("open");
        this.saveAddress();
      }
      this.wake();
    });
    onRestyle(() => {
      this.desk.grow();
      for (const states of this.states) states.restyle();
      this.wake();
    });
    get("partner").addEventListener("change", () => this.partner.choose(get("partner").value));
    this.alignment?.choice.addEventListener("change", () => this.saveAddress());
    translatorKeys(this);
  }

  /** Choose a step, and where it looks most. */
  go(step) {
    const { link } = this;
    get("panel").classList.add("open");
    link.choose(step, link.pin.target === step && link.pin.source >= 0 ? link.pin.source : this.strongest(step));
  }

  /** Where a step looks most; -1 where it does not look. */
  strongest(step) {
    const row = this.run.target[step]?.attention;
    return row ? strongestOf(row) : -1;
  }

  /** Something was read, written or searched. */
  came() {
    const { run, link, steering } = this;
    if (steering.wanted && run.target.length > steering.wanted[0]) {
      const [step, source] = steering.wanted;
      this.guided = true;
      link.choose(step, run.attends ? (source ?? this.strongest(step)) : -1);
      this.guided = false;
      steering.wanted = null;
    }
    this.stale = true;
    this.wake();
  }

  done() {
    const { run, link, steering } = this;
    link.limit(run.target.length, run.source.length);
    steering.done();
    this.alignment?.describe();
    for (const states of this.states) if (states.maps.orderKind !== "index") states.maps.reorder(states.maps.orderKind);
    this.partner.compare();
    this.desk.tell(run);
    this.came();
  }

  partnered() {
    const { about, partner, steering } = this;
    this.lengths.set([about, partner.about ?? pageData.pair].filter(Boolean));
    get("length-head").hidden = !this.lengths.any;
    if (steering.subject !== null) partner.run(steering.plain);
    this.saveAddress();
    this.wake();
  }

  /** Another figure on the projector: as much of it as there is room for. */
  turned() {
    super.turned();
    const { figure } = document.body.dataset;
    requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(`.${figure}-figure`)?.scrollIntoView({ block: "nearest" })));
  }

  /** One frame: draw what has changed. */
  tick(now) {
    this.frame = null;
    const { run } = this;
    if (this.stale) {
      this.stale = false;
      const changed = this.choices.draw();
      this.strips[0].build();
      this.strips[1].build(changed);
      get("search").hidden = this.tree.search.tree.length > 0;
      note(get("text-note"), run);
    }
    for (const strip of this.strips) strip.paint();
    get("stage").classList.toggle("empty", !run.source.length);
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

  get maps() {
    return this.states;
  }
}

openLab(TranslateLab);
