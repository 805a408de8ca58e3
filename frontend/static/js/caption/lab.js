/** The lab of a captioner: brings the views together on one picture, its words and one link. */

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
import { openLab } from "../open-lab.js";
import { Present } from "../present.js";
import { Problem } from "../problem.js";
import { pageData, t } from "../words.js";
import { Caption } from "./caption.js";
import { Coverage } from "./coverage.js";
import { PictureDesk } from "./desk.js";
import { FilmStrip } from "./film-strip.js";
import { captionKeys } from "./keys.js";
import { note, sharpest } from "./notes.js";
import { addressOf, restore } from "./permalink.js";
import { Question } from "./question.js";
import { Region } from "./region.js";
import { RegionPanel } from "./region-panel.js";
import { CaptionSaver } from "./saver.js";
import { StageHead } from "./stage-head.js";
import { Stage } from "./stage.js";
import { Trust } from "./trust.js";
import { ADDRESS, elsewhere } from "./url-state.js";
import { View } from "./view.js";
import { WordLine } from "./word-line.js";

const FIGURES = ["stage", "film", "coverage", "beam", "states", "question"];
const get = (id) => document.getElementById(id);

class CaptionLab extends DecoderLab {
  constructor(about) {
    super();
    this.about = about;
    this.state = ADDRESS.read();
    this.run = new Caption(about);
    this.link = new Link();
    this.region = new Region(this.run.columns);
    this.view = new View(this.run, this.link);
    this.saveAddress = ADDRESS.writer(() => addressOf(this));
    this.build();
    this.listen();
    restore(this);
  }

  build() {
    const { about, run, link, region, view } = this;
    const wake = () => this.wake();
    this.desk = new PictureDesk({
      photos: pageData.photos,
      onPicture: () => this.pictured(),
      onRun: () => this.begin(),
      onStop: () => this.steering.stop(),
      onOption: (which) => this.optionChanged(which),
      onProblem: (error) => this.failed(error),
    });
    const steering = (this.steering = new Steering({ run, former: new Caption(about), desk: this.desk, link, onRun: () => this.saveAddress() }));
    const { edits, former } = steering;
    const onForce = (step, cell) => steering.look(step, cell);
    const onRelease = (step) => steering.release(step);
    const onGo = (step) => this.go(step);
    this.problem = new Problem(get("problem"), { onRetry: () => this.again() });
    this.words = new WordLine(get("words"), { run, link, region, label: t("the caption, word by word"), onChoose: onGo });
    this.choices = new Choices(get("choices"), { run, former, edits, onRemove: (edit) => steering.takeBack(edit), onClear: () => steering.takeBack(), after: () => document.querySelector(".actions .primary:not([hidden])") });
    this.trust = new Trust(get("trust"), run);
    this.stage = new Stage(get("picture"), { run, link, view, region, picture: () => this.desk.subject, label: t("stage keys"), onForce, onRelease });
    this.head = run.attends ? new StageHead({ run, link, view, words: this.words, onShow: (how) => this.show(how) }) : null;
    this.film = new FilmStrip(get("film"), { run, link, view, onGo });
    this.regions = run.attends ? new RegionPanel(get("region"), { run, link, region, view, onGo, onForce }) : null;
    this.coverage = run.attends ? new Coverage(get("coverage"), { run, view, link, region }) : null;
    this.tree = new BeamTree(get("beam-tree"), { run, link, onTake: (tokens) => steering.read(tokens) });
    this.step = new StepPanel(get("step-panel"), { run, link, onTake: (step, token) => steering.take(step, token) });
    this.arithmetic = new ArithmeticPanel(get("arithmetic"), { run, link, score: run.attends ? "additive" : "none", annotation: "a", onForce, onRelease, onUnit: () => this.saveAddress() });
    this.saver = new CaptionSaver(this);
    this.states = new States(get("states"), "target", { run, link, wake, onSave: (map, kind) => this.saver.map(map, kind, this.states) });
    this.present = new Present(get("present"), FIGURES.filter((name) => document.querySelector(`.${name}-figure`)), { onTurn: () => this.turned(), onToggle: wake });
    const question = document.querySelector(".question-figure");
    if (question) this.question = new Question(question, { id: pageData.vqa, photo: () => this.desk.subject, state: this.state, onAsk: () => this.saveAddress(), onProblem: (error) => this.failed(error), say: (words) => this.desk.say(words) });
  }

  listen() {
    const { link, region } = this;
    this.attend(elsewhere);
    link.addEventListener("change", () => {
      if (link.pin !== this.pinned) {
        this.pinned = link.pin;
        this.saveAddress();
      }
      this.wake();
    });
    region.addEventListener("change", () => {
      this.saveAddress();
      this.wake();
    });
    onRestyle(() => {
      this.states.restyle();
      this.stage.key = "";
      this.wake();
    });
    if (matchMedia("(max-width: 760px)").matches) document.querySelector(".options").open = false;
    captionKeys(this);
  }

  /** Another way to show attention. @param {{raw?: boolean, common?: boolean}} how */
  show(how) {
    Object.assign(this.view, how);
    this.saveAddress();
    this.wake();
  }

  /** Another picture is on the desk: it is described. */
  pictured() {
    this.problem.clear();
    this.wake();
    if (this.restoring) {
      this.restoring = false;
      return this.steering.ask();
    }
    this.region.clear();
    this.steering.wanted = null;
    this.steering.begin();
  }

  /** From the first word, and watch every one. */
  begin() {
    this.link.choose();
    this.steering.begin();
  }

  /** The same again: the picture where there is one, else the first example. */
  again() {
    this.problem.clear();
    if (this.desk.subject) this.steering.ask();
    else this.desk.example(pageData.photos[0]?.name);
  }

  /** Choose a word, and where it looks most; all words together for -1. */
  go(step) {
    const { link } = this;
    if (step < 0) return link.choose();
    if (matchMedia("(max-width: 980px)").matches && link.pin.target === step) get("panel").classList.add("open");
    const { area } = this.region;
    link.choose(step, area?.cells.length === 1 ? area.cells[0] : this.strongest(step));
  }

  /** Where a word looks most; -1 where it does not look. */
  strongest(step) {
    const token = this.run.target[step];
    return token?.attention ? (token.looked ?? strongestOf(token.attention)) : -1;
  }

  /** Something was read, written or searched. */
  came() {
    const { run, link, steering } = this;
    if (steering.wanted && run.target.length > steering.wanted[0]) {
      const [step, cell] = steering.wanted;
      link.choose(step, run.attends ? (cell ?? this.strongest(step)) : -1);
      steering.wanted = null;
    }
    this.stale = true;
    this.wake();
  }

  done() {
    const { run, link, steering } = this;
    link.limit(run.target.length, run.source.length);
    steering.done();
    if (this.states.maps.orderKind !== "index") this.states.maps.reorder(this.states.maps.orderKind);
    // Nobody has chosen a word yet: the one that looks most sharply shows the most.
    if (link.pin.target < 0 && run.attends) this.go(sharpest(run));
    this.trust.draw();
    this.desk.say(`${t("caption: {text}", { text: run.text })} ${this.trust.words}`);
    this.came();
  }

  /** One frame: draw what has changed. */
  tick(now) {
    this.frame = null;
    const { run, desk } = this;
    if (this.stale) {
      this.stale = false;
      this.words.build(this.choices.draw());
      get("search").hidden = this.tree.search.tree.length > 0;
      note(get("text-note"), run, desk.subject);
    }
    get("stage").classList.toggle("empty", !desk.subject);
    document.body.classList.toggle("wordless", !run.target.length);
    document.body.classList.toggle("of-another", Boolean(run.target.length) && run.picture !== desk.subject);
    this.words.paint();
    this.trust.draw();
    const more = this.stage.draw(now);
    this.film.draw();
    this.regions?.draw();
    this.coverage?.draw();
    this.tree.draw();
    this.step.draw();
    this.arithmetic.draw();
    if (get("states-figure").open) this.states.draw();
    this.head?.draw();
    if (more) this.wake();
  }

  get maps() {
    return [this.states];
  }
}

openLab(CaptionLab);
