/**
 * A window of a forecaster under a lens: what goes in at each step, the state after it as a map of
 * signed numbers, and how the last state becomes the forecast.
 */

import { at as place, svg } from "../decoder/svg.js";
import { color, hue, inkOn, sequential, signedRamp } from "../color.js";
import { make, short, t } from "../words.js";

const ROW = 26; // css px
const WIDEST = 58; // css px a column
const GUTTER = 34;
const SATURATED = 0.95; // of tanh

/** A number with `digits` after the point and a real minus. */
export function fixed(value, digits) {
  return value.toFixed(digits).replace("-", "−");
}

export class WindowLens {
  /** @param {HTMLElement} map @param {HTMLElement} key @param {HTMLElement} sums @param {HTMLElement} told */
  constructor(map, key, sums, told) {
    Object.assign(this, { map, key, sums, told });
  }

  /**
   * @param {object} found
   * @param {Float32Array} found.x  scaled (time) @param {Float32Array} found.h  (time, unit)
   * @param {Float32Array} found.values  of the window @param {string[]} found.months  their names
   * @param {string[]} found.brief  names that fit under a column
   * @param {object} found.output  as of POST .../forecast, its arrays decoded
   * @param {number|null} found.truth @param {[number, number]} found.edges  of the window above
   */
  draw(found) {
    this.found = found;
    this.drawSums(); // first: the map takes the width that they leave
    this.drawMap();
  }

  drawMap() {
    const { x, h, months, edges } = this.found;
    const T = x.length;
    const H = h.length / T;
    const scale = parseFloat(color("--scale")) || 1;
    const room = Math.max(260, this.map.clientWidth);
    const gutter = GUTTER * scale;
    const column = Math.min(WIDEST * scale, (room - gutter - 2) / T);
    const row = ROW * scale;
    const beam = 22 * scale; // from the window above to the map
    const left = Math.max(gutter, Math.min((edges[0] + edges[1]) / 2 - (column * T) / 2, room - column * T - 2));
    const height = beam + row * (H + 1) + 10 + 22 * scale;
    const drawing = svg("svg", { class: "lens-map", viewBox: `0 0 ${room} ${place(height)}`, role: "img", "aria-label": t("the state after each month of the window: {units} units, {months} months", { units: H, months: T }) });
    Object.assign(drawing.style, { width: `${room}px`, height: `${height}px` });
    const right = left + column * T;
    drawing.append(svg("path", { class: "lens-beam", d: `M${place(edges[0])} 0L${place(left)} ${beam}H${place(right)}L${place(edges[1])} 0Z` }));
    const ramp = signedRamp().css;
    const grey = sequential(hue("x")).css;
    const digits = column >= 44 * scale ? 2 : column >= 34 * scale ? 1 : -1;
    for (let step = 0; step < T; step++) {
      const from = left + step * column;
      const reading = Math.max(0, Math.min(1, x[step]));
      drawing.append(...this.cell(from, beam, column, row, grey[Math.round(255 * reading)], x[step], digits, step, -1, x[step] > 1 || x[step] < 0));
      for (let unit = 0; unit < H; unit++) {
        const value = h[step * H + unit];
        const top = beam + row * (unit + 1) + 6;
        drawing.append(...this.cell(from, top, column, row, ramp[Math.round(127.5 * (Math.max(-1, Math.min(1, value)) + 1))], value, digits, step, unit, Math.abs(value) > SATURATED));
      }
    }
    drawing.append(svg("text", { class: "lens-row of-x", x: place(left - 6), y: place(beam + row * 0.65), "text-anchor": "end" }, "x"));
    for (let unit = 0; unit < H; unit++) drawing.append(svg("text", { class: "lens-row of-h", x: place(left - 6), y: place(beam + row * (unit + 1.65) + 6), "text-anchor": "end" }, "h", svg("tspan", { class: "lens-index", dy: 3 }, String(unit))));
    const every = Math.max(1, Math.ceil((this.found.brief.reduce((most, name) => Math.max(most, name.length), 0) * 7.5 * scale) / column));
    for (let step = T - 1; step >= 0; step -= every) drawing.append(svg("text", { class: "series-tick", x: place(left + (step + 0.5) * column), y: place(height - 6 * scale), "text-anchor": T === 1 ? "start" : "middle" }, this.found.brief[step]));
    drawing.addEventListener("pointermove", (event) => {
      const cell = event.target.closest?.("[data-step]");
      this.told.textContent = cell ? this.tell(Number(cell.dataset.step), Number(cell.dataset.unit), months) : "";
    });
    drawing.addEventListener("pointerleave", () => (this.told.textContent = ""));
    this.map.replaceChildren(drawing);
    this.key.replaceChildren(...bar("x", "0", grey, "1"), " ", ...bar("h", "−1", ramp, "1"));
  }

  cell(x, y, width, height, fill, value, digits, step, unit, end) {
    const where = { "data-step": step, "data-unit": unit };
    const gap = width > 12 ? 1 : 0.4;
    const marks = [svg("rect", { ...where, x: place(x), y: place(y), width: place(width - gap), height: place(height - 1), fill })];
    const ink = inkOn(fill);
    if (end && width > 8) marks.push(svg("path", { ...where, d: `M${place(x + width - gap)} ${place(y)}h-6l6 6z`, fill: ink }));
    if (digits >= 0) marks.push(svg("text", { ...where, class: "lens-number", x: place(x + (width - gap) / 2), y: place(y + height * 0.65), "text-anchor": "middle", style: `fill:${ink}` }, fixed(value, digits)));
    return marks;
  }

  tell(step, unit, months) {
    const { x, h, values } = this.found;
    const H = h.length / x.length;
    if (unit < 0) return `${months[step]}: x = ${fixed(x[step], 4)} (${short(values[step])})`;
    return `${t("after {month}", { month: months[step] })}: h${unit} = ${fixed(h[step * H + unit], 4)}`;
  }

  drawSums() {
    const { output, truth, target } = this.found;
    const rows = [...output.state].map((h, unit) =>
      make("tr", {}, make("th", { scope: "row", class: "of-h" }, `h${unit}`), make("td", {}, make("span", { class: "of-h" }, fixed(h, 3)), ` · ${fixed(output.weight[unit], 3)} =`), cell(fixed(h * output.weight[unit], 3))),
    );
    const span = output.high - output.low;
    const sum = (name, first, value, kind = "") => make("tr", { class: `sum ${kind}` }, make("th", { scope: "row", colspan: "2" }, name, first ? make("span", { class: "num" }, `: ${first}`) : ""), cell(value));
    rows.push(
      sum(t("bias"), "", fixed(output.bias, 3)),
      sum(t("together, scaled"), "", fixed(output.prediction, 3), "of-y line"),
      sum(t("in thousands"), `${short(output.low)} + ${fixed(output.prediction, 3)} · ${short(span)}`, fixed(output.value, 1), "of-y"),
    );
    if (truth !== null) rows.push(sum(t("it was"), "", String(truth)), sum(t("error"), "", fixed(output.value - truth, 1)));
    this.sums.replaceChildren(make("table", { class: "num lens-sums" }, make("caption", {}, t("forecast of {month}", { month: target })), make("tbody", {}, ...rows)));
  }
}

/** A scale of colours with its ends. */
function bar(letter, low, ramp, high) {
  const stops = [0, 64, 128, 192, 255].map((k) => ramp[k]).join(",");
  return [make("i", { class: `of-${letter}` }, letter), ` ${low} `, make("span", { class: "lens-bar", style: `background:linear-gradient(90deg,${stops})` }), ` ${high}`];
}

function cell(text, kind = "") {
  return make("td", { class: kind }, text);
}
