/**
 * A live figure of a lesson. Its module is views/<name>.js with
 *
 *     export async function mount(stage, options, figure) -> view
 *
 * `options` are those of the lesson with what the address holds over them; `figure.keep({name:
 * value})` puts what the reader has changed into the address; `view.values()` tells numbers by name
 * for exercises that watch the figure, and `figure.changed()` says that they may be others.
 */

import { make, t } from "../words.js";

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
      this.stage.replaceChildren(make("p", { class: "broken", role: "alert" }, `${t("This figure cannot be shown.")} ${error.message}`), again);
    }
    return this.view;
  }

  /** What the address holds of this figure. */
  kept() {
    const text = new URLSearchParams(location.search).get(this.element.id);
    try {
      const found = JSON.parse(text);
      return found && typeof found === "object" ? found : {};
    } catch {
      return {};
    }
  }

  /** Put what differs from the lesson's options into the address. @param {object} state */
  keep(state) {
    const query = new URLSearchParams(location.search);
    const differs = Object.entries({ ...this.kept(), ...state }).filter(([name, value]) => value !== this.options[name]);
    if (differs.length) query.set(this.element.id, JSON.stringify(Object.fromEntries(differs)));
    else query.delete(this.element.id);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => history.replaceState(null, "", `${location.pathname}?${query}${location.hash}`), 250);
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
