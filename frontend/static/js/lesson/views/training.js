/**
 * A training, watched: the server trains a small network in its spare time and sends what there is
 * to see; afterwards a slider goes to any moment of it. Nothing of a run is stored.
 *
 * Options: recipe; parameters: those that differ from the recipe's defaults; controls: names of
 * the parameters that the reader may change (default: all); auto: train at once; at: an epoch to
 * go to once it has been trained so far.
 * Values for exercises: every figure of the moment shown and of the recipe (`loss`, `epoch`,
 * `train_rmse`, `test_rmse`, `naive_rmse`, `seasonal_rmse`, `right`, `gradient_norm`), and every
 * parameter of the run that is a number.
 */

import { recipes } from "../../api.js";
import { onRestyle } from "../../color.js";
import { Problem } from "../../problem.js";
import { make, pageData, short, t } from "../../words.js";
import { Controls } from "../training/controls.js";
import { FilmStrip } from "../training/film-strip.js";
import { Internals } from "../training/internals.js";
import { LossChart } from "../training/loss-chart.js";
import { Run } from "../training/run.js";
import { RunsList } from "../training/runs-list.js";
import { SentencesPanel } from "../training/sentences-panel.js";
import { SeriesPanel } from "../training/series-panel.js";

const PANELS = { hello: SentencesPanel, airline: SeriesPanel }; // by the beginning of the recipe's name
const PAST = 3; // earlier runs that are remembered

export async function mount(stage, options, figure) {
  const known = await recipes();
  const recipe = known.find(({ name }) => name === options.recipe);
  if (!recipe) throw new Error(`${options.recipe}: ${known.map(({ name }) => name).join(", ")}`);
  const view = new Training(stage, { parameters: {}, auto: false, ...options }, figure, recipe);
  if (options.auto) view.train();
  else await view.preview();
  return view;
}

class Training {
  constructor(stage, options, figure, recipe) {
    Object.assign(this, { figure, recipe });
    this.chosen = { ...options.parameters }; // those that go into the address
    this.wanted = Number.isInteger(options.at) ? options.at : null;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.run = new Run(recipe.name, this.parameters);
    this.past = [];
    this.at = 0;
    this.build(stage, options.controls ?? recipe.parameters.map(({ name }) => name));
    new ResizeObserver(() => this.wake()).observe(stage);
    onRestyle(() => this.wake());
  }

  /** All parameters of the next run. */
  get parameters() {
    return { ...Object.fromEntries(this.recipe.parameters.map(({ name, default: usual }) => [name, usual])), ...this.chosen };
  }

  build(stage, names) {
    const { recipe } = this;
    const part = (name) => make("div", { class: `training-${name}` });
    const [controls, main, side, inside, film] = ["controls", "main", "side", "inside", "strip"].map(part);
    this.button = make("button", { class: "button primary", type: "button" });
    this.button.addEventListener("click", () => (this.training ? this.run.stop() : this.train()));
    controls.append(this.button);
    new Controls(controls, recipe.parameters, this.parameters, names, (name, value) => this.choose(name, value));
    this.status = make("p", { class: "training-status num", role: "status" });
    this.note = make("p", { class: "note training-note" });
    const problem = make("div", { class: "training-problem", role: "alert", hidden: true });
    this.problem = new Problem(problem, { onRetry: () => this.train() });
    const link = make("a", { href: `/${pageData.language}/lab/${recipe.checkpoint}` }, recipe.checkpoint);
    const about = make("p", { class: "note small" }, t("trained now, in the server's spare time, and not stored; trained before and kept: "), link);
    this.loss = new LossChart(side);
    this.runs = new RunsList(side);
    this.panel = new PANELS[recipe.name.split("-")[0]](main);
    this.internals = new Internals(inside, recipe.name);
    this.film = new FilmStrip(film, this.panel, (at) => this.go(at));
    stage.replaceChildren(controls, this.status, problem, this.note, make("div", { class: "training" }, film, main, side, inside), about);
    if (this.wanted !== null) this.note.textContent = t("This address shows epoch {epoch} of a run. Runs are not stored: train it again to see that moment.", { epoch: this.wanted });
  }

  choose(name, value) {
    const usual = this.recipe.parameters.find((one) => one.name === name).default;
    const fromLesson = this.figure.options.parameters ?? {};
    if (value === usual && !(name in fromLesson)) delete this.chosen[name];
    else this.chosen[name] = value;
    this.figure.keep({ parameters: this.chosen });
    if (this.fresh) this.preview();
  }

  /** Whether nothing has been trained yet: what is shown is the network before its first epoch. */
  get fresh() {
    return this.run.frames.length < 2 && !this.training && !this.past.length;
  }

  /** The network as it begins. */
  async preview() {
    this.asked?.stop();
    const run = (this.asked = new Run(this.recipe.name, { ...this.parameters, epochs: 1 }));
    await run.start(() => {});
    if (this.asked !== run || this.training) return;
    this.problem.show(run.state === "failed" ? run.error : null);
    if (run.state === "done") {
      run.frames.length = run.losses.length = 1;
      run.parameters = this.parameters;
      this.run = run;
      this.at = 0;
    }
    this.wake();
  }

  /** Train with what is chosen now; what was trained before becomes a pale line. */
  async train() {
    this.asked = null;
    if (this.run.frames.length > 1) this.past = [this.run, ...this.past].slice(0, PAST);
    const run = (this.run = new Run(this.recipe.name, this.parameters));
    this.at = 0;
    this.training = true;
    this.problem.clear();
    if (!this.still) {
      this.film.draw(run, 0);
      this.film.start();
    }
    this.wake();
    await run.start(() => {
      if (this.still) this.at = Math.max(0, run.frames.length - 1);
      this.wake();
    });
    this.training = false;
    if (run.state === "failed") this.problem.show(run.error);
    if (!run.frames.length && this.past.length) this.back();
    if (run.state === "done" && this.wanted !== null) {
      this.film.pause();
      this.at = run.frameAt(this.wanted);
      this.wanted = null;
      this.note.textContent = "";
    }
    this.wake();
  }

  /** Nothing came of a run: the one before it is shown again. */
  back() {
    this.run = this.past.shift();
    this.at = this.run.frames.length - 1;
  }

  /** Show a moment. */
  go(at) {
    this.at = at;
    this.wake();
    if (this.film.playing || this.training) return;
    const last = at === this.run.frames.length - 1;
    this.figure.keep({ at: last ? undefined : this.run.frames[at].epoch });
  }

  wake() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  draw() {
    const { run, at, past } = this;
    this.button.textContent = this.training ? t("training stop") : run.frames.length > 1 ? t("train again") : t("training train");
    this.button.classList.toggle("primary", !this.training);
    this.status.textContent = this.words();
    if (!run.frames.length) return this.loss.draw(run, 0, past);
    this.loss.draw(run, at, past);
    this.panel.draw(run, at);
    this.internals.draw(run, at);
    this.film.draw(run, at);
    this.runs.draw(run, past);
    this.figure.changed();
  }

  /** What is shown, and how the run goes. */
  words() {
    const { run, at } = this;
    const frame = run.frames[at];
    if (!frame) return this.training ? t("waiting for the server …") : "";
    const facts = `${t("epoch {epoch} of {all}", { epoch: frame.epoch, all: run.parameters.epochs })} · ${t("loss")} ${short(frame.figures.loss)}`;
    if (run.frames.length === 1 && !this.training) return `${facts} · ${t("not trained yet")}`;
    if (run.state === "stopped") return `${facts} · ${t("stopped after {epoch}", { epoch: run.frames.at(-1).epoch })}`;
    return this.training ? `${facts} · ${t("trained so far: {epoch}", { epoch: run.frames.at(-1).epoch })}` : facts;
  }

  values() {
    const { run, at } = this;
    const frame = run.frames[at];
    if (!frame) return {};
    const numbers = Object.entries(run.parameters).filter(([, value]) => typeof value === "number");
    return { ...Object.fromEntries(numbers), ...run.fixed.figures, ...frame.figures, epoch: frame.epoch };
  }
}
