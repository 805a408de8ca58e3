/** The loss over the epochs, on a logarithmic axis; earlier runs are pale lines beside it. */

import { color } from "../../color.js";
import { make, short, t } from "../../words.js";
import { logTicks, Plot, ticks } from "./plot.js";

export const DASHES = [[6, 3], [2, 3], [8, 3, 2, 3]]; // of earlier runs, the latest first
const ROOM = [50, 100, 200, 500, 1000, 2000]; // epochs that the axis has room for, while they grow
const MOST = 1000; // points of a line: about as many as the chart has px to tell apart

export class LossChart {
  constructor(host) {
    this.plot = new Plot("");
    host.append(make("h3", {}, t("loss over the epochs")), this.plot.canvas);
  }

  /** @param {import("./run.js").Run} run @param {number} at number of the frame shown @param {import("./run.js").Run[]} past */
  draw(run, at, past) {
    const { plot } = this;
    const frame = run.frames[at];
    const all = [run, ...past].filter(({ losses }) => losses.length);
    let [low, high] = [Infinity, -Infinity];
    for (const { losses } of all) {
      for (const loss of losses) {
        low = Math.min(low, loss);
        high = Math.max(high, loss);
      }
    }
    if (!frame) [low, high] = [0.01, 1];
    [low, high] = [low / 1.2, Math.max(high * 1.2, low * 3)];
    const reached = Math.max(...all.map(({ losses }) => losses.length - 1), 1);
    const planned = Math.max(run.parameters.epochs, ...past.map(({ parameters }) => parameters.epochs));
    const last = Math.min(planned, ROOM.find((epochs) => epochs >= reached) ?? planned);
    plot.canvas.setAttribute("aria-label", frame ? t("loss {loss} after {epoch} epochs", { loss: short(frame.figures.loss), epoch: frame.epoch }) : t("loss"));
    plot.begin({
      x: [0, last], y: [low, high], log: true, xTicks: ticks(0, last, plot.canvas.clientWidth > 420 ? 5 : 3), yTicks: logTicks(low, high),
      xName: t("epoch"), yName: t(`loss of ${run.recipe.split("-")[0]}`),
    });
    past.forEach(({ losses }, k) => plot.line(points(losses, losses.length - 1), { ink: color("--ink-3"), width: 1.25, dash: DASHES[k] }));
    if (!frame) return;
    const { epoch } = frame;
    plot.line(points(run.losses, run.losses.length - 1), { ink: color("--ink"), width: 1.25, alpha: 0.3 });
    plot.line(points(run.losses, epoch), { ink: color("--ink"), width: 2 });
    plot.dot(epoch, run.losses[epoch], color("--accent"));
  }
}

/** (epoch, loss) up to an epoch. Of long runs the lowest and the highest of every few: no peak is lost. */
function points(losses, last) {
  const step = Math.max(1, Math.ceil((2 * losses.length) / MOST));
  const found = [];
  for (let from = 0; from < last; from += step) {
    const stop = Math.min(last, from + step);
    let [low, high] = [from, from];
    for (let epoch = from; epoch < stop; epoch++) {
      if (losses[epoch] < losses[low]) low = epoch;
      if (losses[epoch] > losses[high]) high = epoch;
    }
    for (const epoch of new Set([Math.min(low, high), Math.max(low, high)])) found.push([epoch, losses[epoch]]);
  }
  found.push([last, losses[last]]);
  return found;
}
