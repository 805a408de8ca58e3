/** The run that is shown and those before it: in what they differ, and how they ended. */

import { make, short, t } from "../../words.js";
import { DASHES } from "./loss-chart.js";

const ENDS = ["loss", "train_rmse", "test_rmse", "right"];

export class RunsList {
  constructor(host) {
    this.table = make("table", { class: "training-runs" });
    host.append(this.table);
  }

  /** @param {import("./run.js").Run} run @param {import("./run.js").Run[]} past */
  draw(run, past) {
    const runs = [run, ...past].filter(({ frames }) => frames.length);
    this.table.hidden = runs.length < 2;
    if (this.table.hidden) return;
    const names = Object.keys(run.parameters).filter((name) => runs.some((one) => one.parameters[name] !== run.parameters[name]));
    const ends = ENDS.filter((name) => name in run.frames[0].figures);
    const head = make("tr", {}, make("th", {}), ...[...names.map((name) => t(`parameter ${name}`)), t("epochs run"), ...ends.map((name) => t(`figure ${name}`))].map((words) => make("th", { scope: "col" }, words)));
    const rows = runs.map((one, k) => {
      const { epoch, figures } = one.frames.at(-1);
      const cells = [...names.map((name) => t(`choice ${one.parameters[name]}`).replace(/^choice /, "")), String(epoch), ...ends.map((name) => short(figures[name]))];
      return make("tr", {}, make("td", {}, this.swatch(k)), ...cells.map((text) => make("td", { class: "num" }, text)));
    });
    this.table.replaceChildren(make("caption", { class: "out-of-sight" }, t("training runs")), head, ...rows);
  }

  /** The style of a run's line. */
  swatch(k) {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "line");
    for (const [name, value] of Object.entries({ viewBox: "0 0 28 8", width: "28", height: "8", role: "img", "aria-label": k ? t("earlier run") : t("this run") })) drawing.setAttribute(name, value);
    const look = { x1: "0", x2: "28", y1: "4", y2: "4", stroke: k ? "var(--ink-3)" : "var(--ink)", "stroke-width": k ? "1.5" : "2", "stroke-dasharray": k ? DASHES[k - 1].join(" ") : "" };
    for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
    drawing.append(line);
    return drawing;
  }
}
