/** What has been done, kept in this browser: exercises by lesson. */

import { t } from "../words.js";

const KEY = "lessons";

/** All that was done: slug -> ids of exercises. @returns {Record<string, string[]>} */
export function done() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

export class Progress {
  constructor(slug) {
    this.slug = slug;
    this.ids = new Set(done()[slug] ?? []);
  }

  has(id) {
    return this.ids.has(id);
  }

  add(id) {
    this.ids.add(id);
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...done(), [this.slug]: [...this.ids] }));
    } catch {
      // It is then remembered as long as the page.
    }
    this.show();
  }

  /** How many of the exercises are done. @param {HTMLElement|null} place */
  show(of = this.of, place = this.place) {
    Object.assign(this, { of, place });
    if (place) place.textContent = of ? t("{done} of {all} exercises done", { done: this.ids.size, all: of }) : "";
  }
}
