/** What can be chosen about a training, as fields. */

import { make, t } from "../../words.js";

export class Controls {
  /**
   * @param {HTMLElement} host
   * @param {object[]} parameters  of the recipe, as GET /api/training tells them
   * @param {Record<string, number|string>} values  all of them
   * @param {string[]} names  of those that have a field
   * @param {(name: string, value: number|string) => void} onChange
   */
  constructor(host, parameters, values, names, onChange) {
    this.fields = [];
    for (const name of names) {
      const about = parameters.find((one) => one.name === name);
      if (!about) throw new Error(`${name}: ${parameters.map((one) => one.name).join(", ")}`);
      const field = about.choices.length ? this.choice(about) : this.number(about);
      field.value = String(values[name]);
      field.addEventListener("change", () => onChange(name, this.read(about, field)));
      this.fields.push(field);
      host.append(make("label", { title: this.bounds(about) }, t(`parameter ${name}`), " ", field));
    }
  }

  choice({ choices }) {
    return make("select", { class: "plain" }, ...choices.map((choice) => make("option", { value: choice }, t(`choice ${choice}`))));
  }

  number({ lowest, highest, type }) {
    return make("input", { class: "field num", type: "number", min: String(lowest), max: String(highest), step: type === "integer" ? "1" : "any", required: "" });
  }

  bounds({ lowest, highest, choices }) {
    return choices.length ? "" : `${lowest} … ${highest}`;
  }

  /** What a field holds, brought into its bounds. */
  read({ lowest, highest, type, choices, default: usual }, field) {
    if (choices.length) return field.value;
    let value = Number(field.value.replace(",", "."));
    if (!Number.isFinite(value) || field.value.trim() === "") value = usual;
    if (type === "integer") value = Math.round(value);
    value = Math.max(lowest, Math.min(highest, value));
    field.value = String(value);
    return value;
  }
}
