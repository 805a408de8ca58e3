/**
 * A live figure of a lesson. Its module is views/<name>.js with
 *
 *     export async function mount(stage, options, figure) -> view
 *
 * `options` are those of the lesson with what the address holds over them; `figure.keep({name:
 * value})` puts what the reader has changed into the address; `view.values()` tells numbers by name
 * for exercises that watch the figure, and `figure.changed()` says that they may be others.
 */

import { inOneLine } from "../problem.js";
import { make, t } from "../words.js";

const REST = 250; // ms without a change before the address is written
const waiting = new Map(); // id of a figure -> what the address shall hold of it; null: nothing
let timer = null;

/** Write what figures have asked to keep into the address, now. */
export function writeAddress() {
  clearTimeout(timer);
  const query = new URLSearchParams(location.search);
  for (const [id, text] of waiting) {
    if (text === null) query.delete(id);
    else query.set(id, text);
  }
  waiting.clear();
  const search = query.size ? `?${query}` : "";
  history.replaceState(null, "", `${location.pathname}${search}${location.hash}`);
}

export class Figure extends EventTarget {
  constructor(element) {
    super();
    this.element = element;
    this.stage = element.querySelector(".live-stage");
    this.name = element.dataset.view;
    this.options = JSON.parse(element.dataset.options);
    this.view = null;
    this.opened = null;
  }

  /** Load the module and make the figure; the same promise however often it is asked. */
  open() {
    this.opened ??= this.make();
    return this.opened;
  }

  async make() {
    try {
      const module = await import(`./views/${this.name}.js`);
      this.view = await module.mount(this.stage, { ...this.options, ...this.kept() }, this);
      this.element.classList.add("ready");
      this.changed();
    } catch (error) {
      this.opened = null;
      const again = make("button", { class: "button", type: "button" }, t("try again"));
      again.addEventListener("click", () => {
        this.stage.replaceChildren();
        this.open();
      });
      this.stage.replaceChildren(make("p", { class: "broken", role: "alert" }, `${t("This figure cannot be shown.")} ${inOneLine(error)}`), again);
    }
    return this.view;
  }

  /** What the address holds of this figure, or will hold. */
  kept() {
    const id = this.element.id;
    const text = waiting.has(id) ? waiting.get(id) : new URLSearchParams(location.search).get(id);
    try {
      const found = JSON.parse(text);
      return found && typeof found === "object" ? found : {};
    } catch {
      return {};
    }
  }

  /** Put what differs from the lesson's options into the address. @param {object} state */
  keep(state) {
    const same = (name, value) => JSON.stringify(value) === JSON.stringify(this.options[name]);
    const differs = Object.entries({ ...this.kept(), ...state }).filter(([name, value]) => !same(name, value));
    waiting.set(this.element.id, differs.length ? JSON.stringify(Object.fromEntries(differs)) : null);
    clearTimeout(timer);
    timer = setTimeout(writeAddress, REST);
    this.changed();
  }

  /** Say that the numbers of `values` may have changed. */
  changed() {
    this.dispatchEvent(new Event("values"));
  }

  /** Numbers that the figure shows, by name. @returns {Record<string, number>} */
  values() {
    return this.view?.values?.() ?? {};
  }
}
