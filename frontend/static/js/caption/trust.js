/** How far the words can be trusted: how common such a picture is, how sure the network was. */

import { make, percent, short, t } from "../words.js";

export const STRANGE = 0.05; // share of validation pictures farther away: below it, do not trust the words
const RARE = 0.2;
const UNSURE = 0.15; // share of validation captions that were less likely

/** A share of others as whole percents; never 0 or 100, which nobody measured. */
function others(share) {
  return `${Math.max(1, Math.min(99, Math.round(100 * share)))}%`;
}

/** How like the picture is to those that were learned. @returns {{grade: string, text: string}|null} */
export function familiarityInWords(familiarity) {
  if (!familiarity) return null;
  const { share } = familiarity;
  if (share < STRANGE) return { grade: "strange", text: t("strange picture", { share: others(1 - share) }) };
  if (share < RARE) return { grade: "rare", text: t("rare picture", { share: others(1 - share) }) };
  return { grade: "common", text: t("common picture", { share: others(share) }) };
}

/** How sure the network was of its words. @returns {{grade: string, text: string}|null} */
export function confidenceInWords(confidence) {
  if (!confidence) return null;
  const { share, mean_log_probability: mean } = confidence;
  const values = { share: others(share), less: others(1 - share), mean: short(mean), chance: percent(Math.exp(mean)) };
  return share < UNSURE ? { grade: "rare", text: t("unsure words", values) } : { grade: "common", text: t("sure words", values) };
}

export class Trust {
  /** @param {HTMLElement} host @param {import("./caption.js").Caption} run */
  constructor(host, run) {
    Object.assign(this, { host, run });
    this.lines = [make("p"), make("p")];
    host.append(...this.lines);
  }

  draw() {
    const { run, lines } = this;
    const told = [familiarityInWords(run.familiarity), run.whole ? confidenceInWords(run.confidence) : null];
    lines.forEach((line, k) => {
      line.hidden = !told[k];
      const { grade = "", text = "" } = told[k] ?? {};
      if (line.textContent !== text) line.textContent = text;
      line.className = `trust-line ${grade}`;
    });
    this.host.hidden = !told.some(Boolean);
  }

  /** For a listener. */
  get words() {
    return this.lines.filter((line) => !line.hidden).map((line) => line.textContent).join(" ");
  }
}
