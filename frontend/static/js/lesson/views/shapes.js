/**
 * A recurrent layer of torch with sizes of the reader's choice: every tensor that goes in or comes
 * out, its axes named, its numbers as a map. Torch runs the layer on the server.
 *
 * Options: cell, input_size, hidden_size, num_layers, bidirectional, batch_first, length, batch.
 * Values for exercises: each of these, and `h_n.<k>`, `output.<k>`: the size of axis k.
 */

import { shapes } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { color, onRestyle, signedRamp } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { sharpen } from "../../raster.js";
import { make, short, t } from "../../words.js";

const CELL = 18; // css px of a number
const GAP = 10; // between the slices of a tensor of three axes
const NUMBERS = ["input_size", "hidden_size", "num_layers", "length", "batch"];
const SWITCHES = ["bidirectional", "batch_first"];
const HIGHEST = { input_size: 8, hidden_size: 8, num_layers: 4, length: 8, batch: 5 };
const USUAL = { cell: "rnn", input_size: 3, hidden_size: 4, num_layers: 1, bidirectional: false, batch_first: false, length: 5, batch: 2 };

export async function mount(stage, options, figure) {
  const view = new Shapes(stage, { ...USUAL, ...options }, figure);
  await view.run();
  return view;
}

class Shapes {
  constructor(stage, options, figure) {
    this.figure = figure;
    this.sizes = Object.fromEntries(Object.keys(USUAL).map((name) => [name, options[name]]));
    this.code = make("code", { class: "num shapes-code" });
    this.list = make("div", { class: "shapes-list" });
    this.facts = make("ul", { class: "shapes-facts", "aria-live": "polite" });
    stage.replaceChildren(this.controls(), make("p", {}, this.code), this.list, this.facts);
    onRestyle(() => this.draw());
  }

  controls() {
    const row = make("div", { class: "option-row shapes-controls" });
    const cell = make("select", { class: "plain", "aria-label": t("cell") }, ...["rnn", "lstm", "gru"].map((name) => make("option", { value: name }, name.toUpperCase())));
    cell.value = this.sizes.cell;
    cell.addEventListener("change", () => this.set({ cell: cell.value }));
    row.append(cell);
    for (const name of NUMBERS) {
      const field = make("input", { class: "field num", type: "number", min: "1", max: String(HIGHEST[name]), value: String(this.sizes[name]) });
      field.addEventListener("change", () => {
        const value = Math.max(1, Math.min(HIGHEST[name], Math.round(Number(field.value)) || 1));
        field.value = String(value);
        this.set({ [name]: value });
      });
      row.append(make("label", {}, `${name} `, field));
    }
    for (const name of SWITCHES) {
      const box = make("input", { type: "checkbox" });
      box.checked = this.sizes[name];
      box.addEventListener("change", () => this.set({ [name]: box.checked }));
      row.append(make("label", {}, box, ` ${name}`));
    }
    return row;
  }

  set(change) {
    Object.assign(this.sizes, change);
    this.figure.keep(change);
    this.run().catch((error) => this.facts.replaceChildren(make("li", { class: "broken" }, inOneLine(error))));
  }

  async run() {
    const asked = JSON.stringify(this.sizes);
    this.asked = asked;
    const found = await shapes(this.sizes);
    if (this.asked !== asked) return; // the reader has gone on
    this.found = { ...found, tensors: found.tensors.map((one) => ({ ...one, values: decode(one.data), shape: shapeOf(one.data) })) };
    this.draw();
    this.figure.changed();
  }

  draw() {
    if (!this.found) return;
    this.code.textContent = this.found.code;
    this.list.replaceChildren(...this.found.tensors.map((one) => this.tensor(one)));
    const said = {
      last_output: t("the last step of output, forward, is h_n of the last layer"),
      last_output_backward: t("the last step of output, backward, is h_n of the last layer, backward"),
      first_output_backward: t("the first step of output, backward, is h_n of the last layer, backward"),
    };
    this.facts.replaceChildren(...Object.entries(this.found.equal).map(([name, holds]) => make("li", {}, `${holds ? "=" : "≠"} ${said[name]}${holds ? "" : `: ${t("it is not")}`}`)));
  }

  /** A tensor as maps: its last two axes down and across, one map for each index of the first. */
  tensor({ name, role, axes, values, shape }) {
    const [slices, rows, columns] = shape.length === 3 ? shape : shape.length === 2 ? [1, ...shape] : [1, 1, shape[0]];
    const canvas = make("canvas", { class: "shapes-map", role: "img", "aria-label": `${name}: ${axes.map((axis, k) => `${t(axis)} ${shape[k]}`).join(", ")}` });
    const scale = parseFloat(color("--scale")) || 1;
    const room = (272 * scale - (slices - 1) * GAP) / (slices * columns); // of a card that is as narrow as they get
    const cell = Math.max(5, Math.floor(Math.min(CELL * scale * (rows > 8 ? 0.6 : 1), room)));
    const width = slices * columns * cell + (slices - 1) * GAP;
    const { context, ratio } = sharpen(canvas, width, rows * cell);
    context.scale(ratio, ratio);
    Object.assign(canvas.style, { width: `${width}px`, height: `${rows * cell}px` });
    const limit = Math.max(...values.map(Math.abs)) || 1;
    const ramp = signedRamp().css;
    for (let s = 0; s < slices; s++) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const value = values[(s * rows + r) * columns + c];
          context.fillStyle = ramp[Math.round(127.5 * (value / limit + 1))];
          context.fillRect(s * (columns * cell + GAP) + c * cell, r * cell, cell - 1, cell - 1);
        }
      }
    }
    canvas.addEventListener("pointermove", (event) => {
      const s = Math.floor(event.offsetX / (columns * cell + GAP));
      const c = Math.floor((event.offsetX - s * (columns * cell + GAP)) / cell);
      const r = Math.floor(event.offsetY / cell);
      if (c >= columns || r >= rows || s >= slices || c < 0 || r < 0) return;
      const place = [s, r, c].slice(3 - shape.length);
      told.textContent = `[${place.join(", ")}] = ${short(values[(s * rows + r) * columns + c])}`;
    });
    const told = make("span", { class: "num quiet" }, `± ${short(limit)}`);
    return make(
      "div", { class: `shapes-tensor of-${role}` },
      make("div", { class: "shapes-name" }, make("b", { class: "num" }, name), " ", make("span", { class: "num" }, `(${shape.join(", ")})`)),
      make("div", { class: "shapes-axes quiet" }, axes.map((axis) => t(axis)).join(" × ")),
      make("div", { class: "shapes-scroll" }, canvas), told,
    );
  }

  values() {
    const found = { ...this.sizes };
    for (const { name, shape } of this.found?.tensors ?? []) shape.forEach((size, k) => (found[`${name}.${k}`] = size));
    return found;
  }
}
