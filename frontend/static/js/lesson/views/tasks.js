/**
 * Five ways from a sequence to a sequence, as unrolled graphs of networks at work: real inputs below,
 * real outputs above. The reader types, or chooses a photo and a network; the graph grows with it.
 *
 * Options: task: one-one, one-many, many-one, aligned, unaligned, or all (then the reader chooses);
 * checkpoint; text or photo. Under the name of a task, as {checkpoint, text, photo}, what differs.
 * Values for exercises, of the task in hand: steps_in, steps_out, more (steps_out - steps_in),
 * steps (columns), probability of what is chosen, and of each label of a classifier: `is <label>`.
 */

import { checkpoints } from "../../api.js";
import { onRestyle } from "../../color.js";
import { make, t } from "../../words.js";
import { legendOf } from "../task-graph.js";
import { TaskPanel } from "../task-panel.js";
import { TASKS, networksFor } from "../tasks.js";

const ALL = "all";

export async function mount(stage, options, figure) {
  const known = await checkpoints();
  return new Tasks(stage, { task: ALL, ...options }, figure, known);
}

class Tasks {
  constructor(stage, options, figure, known) {
    Object.assign(this, { stage, options, figure, known });
    this.panels = new Map();
    this.body = make("div", { class: "task-panels" });
    this.legend = make("div", {});
    stage.replaceChildren(this.body, this.legend);
    if ((figure.options.task ?? ALL) === ALL) stage.prepend(this.chooser());
    this.show(options.task);
    onRestyle(() => this.panels.forEach((panel) => panel.graph.draw()));
    document.fonts?.ready.then(() => this.panels.forEach((panel) => panel.graph.draw()));
  }

  chooser() {
    const names = [ALL, ...Object.keys(TASKS)];
    this.buttons = names.map((name) => {
      const button = make("button", { class: "plain", type: "button" }, t(`task ${name}`));
      button.addEventListener("click", () => {
        this.figure.keep({ task: name });
        this.show(name);
      });
      return button;
    });
    return make("div", { class: "task-chooser", role: "group", "aria-label": t("which task") }, ...this.buttons);
  }

  show(task) {
    const names = Object.keys(TASKS);
    this.task = names.includes(task) ? task : ALL;
    this.buttons?.forEach((button, k) => button.setAttribute("aria-pressed", String([ALL, ...names][k] === this.task)));
    const shown = this.task === ALL ? names : [this.task];
    this.body.classList.toggle("single", shown.length === 1);
    this.body.replaceChildren(...shown.map((name) => this.panel(name).element));
    this.changed();
  }

  /** The panel of a task; made when it is first shown. */
  panel(name) {
    if (!this.panels.has(name)) {
      const { figure, options, known } = this;
      const own = figure.options.task === name ? { checkpoint: options.checkpoint, text: options.text, photo: options.photo } : {};
      const kept = options[name] ?? {};
      // What the lesson gives to its own network is not meant for another.
      const wanted = kept.checkpoint && kept.checkpoint !== own.checkpoint ? kept : { ...own, ...kept };
      const panel = new TaskPanel(name, networksFor(name, known), wanted, {
        onKeep: (state) => figure.keep({ [name]: state }),
        onChange: () => this.changed(),
      });
      this.panels.set(name, panel);
    }
    return this.panels.get(name);
  }

  /** Something was read: one legend stands under all graphs. */
  changed() {
    const drawings = [...this.panels.values()].map(({ drawing }) => drawing).filter(Boolean);
    this.legend.replaceChildren(...(this.task === ALL && drawings.length ? [legendOf(drawings)] : []));
    this.figure.changed();
  }

  values() {
    return this.task === ALL ? {} : this.panels.get(this.task).values();
  }
}
