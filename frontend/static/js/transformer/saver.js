/**
 * The save buttons of the page's figures: PNG, SVG, CSV. A view says how its figure is made; a place
 * with `data-save="<name>"` gets the buttons.
 */

import * as exports from "../exports.js";
import { inQuotes, t } from "../words.js";

/**
 * @typedef {object} Saved
 * @property {() => {data: object[], layout: object}} [figure]  for Plotly, from the real values
 * @property {() => string} [drawing]  the text of an SVG file, instead
 * @property {() => any[][]} rows  for CSV, head first
 * @property {() => string} [file]  the end of the file's name; else the name of the place
 * @property {() => Promise<unknown>} [ready]  fetches what the above need
 */

/** @type {Map<string, Saved>} */
const known = new Map();

/** How the figure of a place is saved. @param {string} name @param {Saved} saved */
export function provide(name, saved) {
  known.set(name, saved);
}

/** Put the buttons into all places. @param {import("./store.js").Store} store @param {(words: string) => void} say */
export function saveButtons(store, say) {
  exports.saveButtons(async (name, kind) => {
    const saved = known.get(name);
    if (!saved || !store.reading) return;
    await saved.ready?.();
    const file = `${store.about.id}-${saved.file?.() ?? name}`;
    if (kind === "csv" || !saved.drawing) return exports.save(kind, saved.figure, saved.rows, file, say);
    try {
      await exports.saveDrawing(saved.drawing(), kind, file);
    } catch {
      say(t("The picture could not be made."));
    }
  });
}

/** What a saved figure is called: checkpoint, quantity, what was read. */
export function titleOf({ about, reading }, what) {
  const cut = (words) => exports.escaped(words.length > 70 ? `${words.slice(0, 70)}…` : words).replace(/\n/g, " ↵ ");
  return `${exports.escaped(about.title ?? about.id)}: ${what}<br><sub>${inQuotes(cut(reading.text))}</sub>`;
}
