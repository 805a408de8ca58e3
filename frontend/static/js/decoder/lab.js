/**
 * What the labs of decoders share: one run, the desk it is asked at, and views that are drawn a
 * frame at a time. A subclass builds them, and has `came`, `done`, `tick` and `maps`, the maps of states.
 */

import { loadPlotly, plotly } from "../plotly.js";
import { pageData } from "../words.js";

const REST = 160; // ms without movement before Plotly draws
const NOT_TAKEN = new Set(["bad_force", "bad_prefix", "no_attention"]);
const get = (id) => document.getElementById(id);

export class DecoderLab {
  /** Listen to the run, and to what every such page has. @param {(id: string) => string} elsewhere */
  attend(elsewhere) {
    const { run, steering } = this;
    for (const type of ["source", "step", "beam"]) run.addEventListener(type, () => this.came());
    run.addEventListener("done", () => this.done());
    run.addEventListener("state", () => this.changed());
    run.addEventListener("problem", () => this.failed(run.error));
    steering.former.addEventListener("done", () => this.came());
    new ResizeObserver(() => this.wake()).observe(get("stage"));
    document.fonts?.ready.then(() => this.wake());
    get("open-help").addEventListener("click", () => get("help").showModal());
    get("panel-handle").addEventListener("click", () => get("panel").classList.toggle("open"));
    get("checkpoint").addEventListener("change", (event) => (location.href = elsewhere(event.target.value)));
    get("search").addEventListener("click", () => steering.search());
    get("states-figure").addEventListener("toggle", () => this.wake());
  }

  optionChanged(which) {
    this.desk.refresh(this.run.busy);
    this.saveAddress();
    if (which === "pace") this.run.pace = this.desk.pace;
    else if (this.steering.subject !== null) this.steering.ask();
  }

  /** Busy or not. */
  changed() {
    this.desk.refresh(this.run.busy);
    this.stale = true;
    this.wake();
  }

  /** Choices that this network cannot take, from an old address: the next try goes without them. */
  failed(error) {
    this.problem.show(error);
    if (NOT_TAKEN.has(error?.code)) this.steering.edits.clear();
  }

  /** Another figure on the projector. */
  turned() {
    this.wake();
    if (document.body.dataset.figure === "states") get("states-figure").open = true;
    scrollTo({ top: 0 });
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.tick(now));
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.settle(), REST);
  }

  /** When nothing has moved for a while: what is dear, one piece at a time. */
  settle() {
    if (this.run.busy || !get("states-figure").open) return;
    const Plotly = plotly();
    if (!Plotly) loadPlotly(pageData.plotly_url).then(() => this.settle(), () => {});
    else if (this.maps.some((states) => states.settle(Plotly))) this.restTimer = setTimeout(() => this.settle(), 30);
  }
}
