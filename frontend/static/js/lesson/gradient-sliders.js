/** The controls of the gradient bench: the text, sliders, and what is shown. */

import { make, short, t } from "../words.js";
import { labLink } from "./checkpoint.js";

const TYPING = 450; // ms after the last key before the text is read
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 200, 256]; // of a chunk

export class Sliders {
  /** @param {any} state @param {object[]} abouts @param {any} options @param {(change: object, wait?: number) => void} set */
  constructor(state, abouts, options, set) {
    Object.assign(this, { state, set });
    this.outs = {};
    this.fields = {};
    const wanted = (name) => options.controls.includes(name);
    const row = make("div", { class: "option-row gb-controls" });
    this.element = make("div", { class: "gb-head" });
    if (wanted("text")) {
      this.field = make("input", { class: "field num text", type: "text", value: state.text, spellcheck: "false", autocomplete: "off", maxlength: "400", "aria-label": t("the text that is read") });
      this.field.addEventListener("input", () => this.field.value && set({ text: this.field.value }, TYPING));
      this.element.append(this.field);
    }
    if (abouts.length === 1) this.element.append(labLink(abouts[0]));
    const gated = abouts.some(({ config }) => !config.cell.startsWith("rnn"));
    if (wanted("weight_scale")) row.append(this.slider("weight_scale", t("scale of the recurrent weights"), -2, 2, 0.25, (x) => 2 ** x, Math.log2));
    if (wanted("forget_bias") && gated) row.append(this.slider("forget_bias", t("added to the bias of f, z"), -4, 4, 0.5));
    if (wanted("chunk")) row.append(this.chunks());
    if (wanted("clip")) row.append(this.slider("clip", t("largest norm"), -2, 3, 0.25, (x) => 10 ** x, Math.log10));
    if (wanted("loss")) row.append(this.choice("loss", t("loss"), [["step", t("of one step")], ["sum", t("of all steps, added")]]));
    const layers = Math.max(...abouts.map(({ config }) => config.num_layers));
    if (wanted("layer") && layers > 1) row.append(this.choice("layer", t("layer"), Array.from({ length: layers }, (_, k) => [k === layers - 1 ? -1 : k, String(k)])));
    if (wanted("radius") && options.show.includes("radii")) row.append(this.choice("radius", t("of the Jacobian"), [["radius", t("spectral radius")], ["stretch", t("largest singular value")], ...(gated ? [["kept", t("largest gate that keeps")]] : [])]));
    this.again = make("button", { class: "plain", type: "button" }, t("as trained"));
    this.again.addEventListener("click", () => set({ weight_scale: 1, forget_bias: 0 }, 0));
    if (wanted("weight_scale") || wanted("forget_bias")) row.append(this.again);
    this.element.append(row);
    this.show(Math.max(1, Array.from(state.text).length - 1));
  }

  slider(name, label, min, max, step, from = (x) => x, to = (x) => x) {
    const input = make("input", { type: "range", min: String(min), max: String(max), step: String(step), "aria-label": label });
    const out = (this.outs[name] = make("output", { class: "num" }));
    input.addEventListener("input", () => this.set({ [name]: Number(from(Number(input.value)).toPrecision(4)) }));
    this.fields[name] = () => {
      input.value = String(to(this.state[name]));
      out.textContent = short(this.state[name]);
      input.setAttribute("aria-valuetext", out.textContent);
    };
    return make("label", { class: "gb-slider" }, make("span", {}, label), make("span", { class: "pair" }, input, out));
  }

  /** Lengths of a chunk, up to the whole text. */
  chunks() {
    const input = make("input", { type: "range", min: "0", step: "1", "aria-label": t("steps in a chunk") });
    const out = make("output", { class: "num" });
    let lengths = [0];
    input.addEventListener("input", () => this.set({ chunk: lengths[Number(input.value)] }));
    this.fields.chunk = (length) => {
      const { chunk } = this.state;
      lengths = LENGTHS.filter((n) => n < length);
      if (chunk && chunk < length && !lengths.includes(chunk)) lengths = [...lengths, chunk].sort((a, b) => a - b);
      lengths.push(0);
      input.max = String(lengths.length - 1);
      input.value = String(chunk && chunk < length ? lengths.indexOf(chunk) : lengths.length - 1);
      out.textContent = lengths[Number(input.value)] ? String(chunk) : t("whole text");
      input.setAttribute("aria-valuetext", out.textContent);
    };
    return make("label", { class: "gb-slider" }, make("span", {}, t("steps in a chunk")), make("span", { class: "pair" }, input, out));
  }

  choice(name, label, options) {
    const select = make("select", { class: "plain", "aria-label": label }, ...options.map(([value, text]) => make("option", { value: String(value) }, text)));
    select.addEventListener("change", () => this.set({ [name]: typeof options[0][0] === "number" ? Number(select.value) : select.value }, 0));
    this.fields[name] = () => (select.value = String(this.state[name]));
    return make("label", { class: "gb-choice" }, `${label} `, select);
  }

  /** Show the state. @param {number} length steps of the text */
  show(length) {
    for (const tell of Object.values(this.fields)) tell(length);
    this.again.disabled = this.state.weight_scale === 1 && this.state.forget_bias === 0;
  }
}
