/**
 * An unrolled graph of any task, drawn in one manner: a column a step, what is read below, the cell
 * with its state in the middle, what is written above. Arrows: up, from input to cell to output;
 * across, the state; dashed, what was written and is read at the next step.
 *
 * One tab stop; arrow keys and clicks choose a column.
 */

import { svg, at } from "../decoder/svg.js";
import { fit, make, percent, t } from "../words.js";
import { photoAddress, photoTitle } from "./photos.js";

const COLUMN = [58, 128]; // css px, narrowest and widest
const PART = 26; // between what reads and what writes
const CELL = [38, 34]; // width and height
const TOP = 50; // to the upper edge of the cells: what is written, its bar, an arrow
const BELOW = 50; // from their lower edge: an arrow, what is read
const PHOTO = [112, 96]; // at most so wide and high
const BAR = 36; // of a probability of 1
const HEAD = 5; // of an arrow

export class TaskGraph {
  /** @param {HTMLElement} host @param {(column: number) => void} onChoose  -1: the answer to it all */
  constructor(host, onChoose) {
    Object.assign(this, { host, onChoose, chosen: -1 });
    host.classList.add("task-graph");
    this.pen = document.createElement("canvas").getContext("2d");
  }

  /** @param {import("./tasks.js").Drawing} drawing @param {string} label  what it shows, in words */
  show(drawing, label) {
    Object.assign(this, { drawing, label });
    this.draw();
  }

  choose(column) {
    this.chosen = column;
    this.svg?.querySelectorAll("[data-column]").forEach((place) => place.classList.toggle("chosen", Number(place.dataset.column) === column));
  }

  draw() {
    const { drawing, host } = this;
    if (!drawing) return;
    this.measure();
    const { width, height } = this;
    const columns = drawing.columns.map((column, k) => this.column(column, k));
    const marks = [this.places(), this.rail(), this.photo(), this.states(), this.feeds(), ...columns, this.answer()];
    const held = host.contains(document.activeElement);
    const left = host.scrollLeft;
    this.svg = svg("svg", { viewBox: `0 0 ${at(width)} ${at(height)}`, width: at(width * this.scale), height: at(height * this.scale), tabindex: 0, role: "application", "aria-label": this.label }, ...marks.filter(Boolean));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("click", (event) => {
      const place = event.target.closest("[data-column]");
      if (place) this.onChoose(Number(place.dataset.column));
    });
    host.replaceChildren(this.svg);
    host.scrollLeft = left;
    if (held) this.svg.focus({ preventScroll: true });
    this.choose(this.chosen);
  }

  /** Where everything lies. */
  measure() {
    const { columns, photo, answer } = this.drawing;
    const style = getComputedStyle(document.documentElement);
    this.scale = parseFloat(style.getPropertyValue("--scale")) || 1;
    this.pen.font = `600 14px ${style.getPropertyValue("--sans")}`;
    const widest = Math.max(0, ...columns.flatMap(({ x, y }) => [x, y]).filter(Boolean).map((text) => this.pen.measureText(text).width));
    this.step = Math.min(COLUMN[1], Math.max(COLUMN[0], widest + 16));
    this.from = photo ? PHOTO[0] + 34 : 4;
    const parted = columns.findIndex(({ writes }) => writes);
    this.parted = photo ? 0 : parted; // the first column of the part that writes
    this.middles = columns.map((_, k) => this.from + (k + 0.5) * this.step + (this.parted > 0 && k >= this.parted ? PART : 0));
    this.width = this.middles.at(-1) + this.step / 2 + 4;
    const wide = answer ? this.pen.measureText(answer.y).width / 2 + 8 : 0;
    this.top = TOP + (answer && this.spread ? 18 : 0);
    this.height = this.top + CELL[1] + BELOW;
    if (answer) this.width = Math.max(this.width, this.place + wide + 8);
  }

  /** Does the answer come from more than the last step? */
  get spread() {
    const { from } = this.drawing.answer;
    return Array.from(from).some((share, k) => share > 0 && k < from.length - 1);
  }

  /** The middle of the answer: over the last step where it comes from there, else over the text. */
  get place() {
    const { middles } = this;
    return this.spread ? (middles[0] + middles.at(-1)) / 2 : middles.at(-1);
  }

  /** What is clicked, and is tinted where it is chosen: under everything else. */
  places() {
    const { middles, step, height, drawing } = this;
    const touch = (x, width, high, column) => svg("rect", { class: "task-touch", "data-column": column, x: at(x - width / 2), y: 0, width: at(width), height: high, rx: 3 });
    const answer = drawing.answer ? [touch(this.place, this.pen.measureText(drawing.answer.y).width + 24, 32, -1)] : [];
    return svg("g", {}, ...middles.map((x, k) => touch(x, step - 2, height, k)), ...answer);
  }

  column(column, k) {
    const { top, step } = this;
    const x = this.middles[k];
    const low = top + CELL[1];
    const parts = [
      svg("rect", { class: column.writes ? "task-cell writes" : "task-cell", x: at(x - CELL[0] / 2), y: top, width: CELL[0], height: CELL[1], rx: 7 }),
      svg("text", { class: "task-state", x: at(x - (this.number(k) > 9 ? 1 : 3)), y: top + CELL[1] / 2 + 5 }, "h", svg("tspan", { dy: 4, "font-size": 9.5 }, String(this.number(k)))),
    ];
    if (column.x !== null) {
      parts.push(arrow([[x, low + 24], [x, low + 3]], "task-x"));
      parts.push(svg("text", { class: `task-read${column.sign ? " sign" : ""}${column.fed ? " fed" : ""}`, x: at(x), y: low + 40 }, fit(this.pen, column.x, step - 6)));
    }
    if (column.y !== null) {
      parts.push(arrow([[x, top - 2], [x, top - 16]], "task-y"), ...this.output(x, column.y, column.share));
    }
    return svg("g", { class: "task-column" }, ...parts);
  }

  /** States are counted from 1 in each part. */
  number(k) {
    return this.parted > 0 && k >= this.parted ? k - this.parted + 1 : k + 1;
  }

  /** What is written, over a bar of its probability. */
  output(x, text, share, room = this.step - 6) {
    const long = BAR * share;
    return [
      svg("text", { class: "task-written", x: at(x), y: 14 }, fit(this.pen, text, room)),
      svg("rect", { class: "task-bar", x: at(x - BAR / 2), y: 21, width: BAR, height: 3 }),
      svg("rect", { class: "task-share", x: at(x - BAR / 2), y: 21, width: at(Math.max(1, long)), height: 3 }),
      svg("title", {}, `${text} ${percent(share)}`),
    ];
  }

  /** What each step hands to the next. */
  states() {
    const { middles, parted, top } = this;
    const { both, columns } = this.drawing;
    const middle = top + CELL[1] / 2;
    const lines = [];
    for (let k = 1; k < columns.length; k++) {
      const [from, to] = [middles[k - 1] + CELL[0] / 2 + 2, middles[k] - CELL[0] / 2 - 3];
      const twice = both && !(parted > 0 && k >= parted);
      lines.push(arrow([[from, middle - (twice ? 5 : 0)], [to, middle - (twice ? 5 : 0)]], "task-h"));
      if (twice) lines.push(arrow([[to + 1, middle + 7], [from + 1, middle + 7]], "task-h"));
    }
    return svg("g", {}, ...lines);
  }

  /** What was written goes in again. */
  feeds() {
    const { middles, top } = this;
    const low = top + CELL[1];
    const lines = this.drawing.columns.map(({ fed }, k) => {
      if (!fed) return null;
      const way = (middles[k - 1] + middles[k]) / 2;
      const [written, read] = [k - 1, k].map((n) => this.pen.measureText(this.drawing.columns[n][n < k ? "y" : "x"]).width / 2);
      const begin = Math.min(middles[k - 1] + written + 3, way - 2);
      const end = Math.max(middles[k] - read - 5, way + 4);
      const [high, deep] = [10, low + 35];
      const line = path(`M${at(begin)} ${high} Q${at(way)} ${high} ${at(way)} ${high + 20} L${at(way)} ${deep - 13} Q${at(way)} ${deep} ${at(end)} ${deep}`, "task-fed");
      return svg("g", {}, line, path(head(end, deep, 0), "task-fed tip"));
    });
    return svg("g", {}, ...lines.filter(Boolean));
  }

  photo() {
    const { photo } = this.drawing;
    if (!photo) return null;
    const middle = this.top + CELL[1] / 2;
    const [width, height] = PHOTO;
    const image = svg("image", { href: photoAddress(photo), x: 4, y: at(middle - height / 2), width, height, preserveAspectRatio: "xMidYMid meet" }, svg("title", {}, photoTitle(photo)));
    return svg("g", {}, image, arrow([[width + 8, middle], [this.middles[0] - CELL[0] / 2 - 3, middle]], "task-h"));
  }

  /** What every step that writes gets besides: of the photo, or of all that was read. */
  rail() {
    const { rail, photo } = this.drawing;
    if (!rail) return null;
    const y = this.top + CELL[1] + 13;
    const writing = this.middles.slice(this.parted);
    const lines = writing.map((x) => arrow([[x - 11, y], [x - 11, this.top + CELL[1] + 3]], `task-rail ${rail}`));
    const from = photo ? PHOTO[0] + 4 : this.middles[0] - 11;
    lines.push(path(`M${at(from)} ${y} L${at(writing.at(-1) - 11)} ${y}`, `task-rail ${rail}`));
    if (!photo) for (const x of this.middles.slice(0, this.parted)) lines.push(path(`M${at(x - 11)} ${this.top + CELL[1] + 1} L${at(x - 11)} ${y}`, `task-rail ${rail}`));
    return svg("g", {}, ...lines);
  }

  /** One answer, and which steps it comes from. */
  answer() {
    const { answer } = this.drawing;
    if (!answer) return null;
    const { place, top } = this;
    const most = Math.max(...answer.from);
    const lines = Array.from(answer.from, (share, k) => {
      if (!(share > 0)) return null;
      const from = [this.middles[k], top - 2];
      const line = this.spread ? path(`M${at(from[0])} ${from[1]} L${at(place + (from[0] - place) * 0.1)} 33`, "task-y") : arrow([from, [place, 34]], "task-y");
      if (this.spread) line.style.strokeWidth = String(0.6 + 2.2 * (share / most));
      line.style.opacity = String(0.25 + 0.75 * (share / most));
      return line;
    });
    return svg("g", { class: "task-column" }, ...lines.filter(Boolean), ...this.output(place, answer.y, answer.share, 240));
  }

  key(event) {
    const { columns, answer } = this.drawing;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const least = answer ? -1 : 0;
    if (by) this.onChoose(Math.max(least, Math.min(columns.length - 1, this.chosen + by)));
    else if (event.key === "Home") this.onChoose(least);
    else if (event.key === "End") this.onChoose(columns.length - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.reveal();
  }

  /** What is chosen into view, where the graph is wider than its place. */
  reveal() {
    const { host, scale, step, chosen } = this;
    const x = (chosen < 0 ? this.place : this.middles[chosen]) * scale;
    const near = step * scale;
    if (x - near < host.scrollLeft || x + near > host.scrollLeft + host.clientWidth) host.scrollLeft = x - host.clientWidth / 2;
  }
}

/** The marks that occur in drawings, with what they mean. @param {import("./tasks.js").Drawing[]} drawings */
export function legendOf(drawings) {
  const marks = new Map([["x", t("what is read")]]);
  const some = (test) => drawings.some(test);
  if (some(({ columns, photo }) => columns.length > 1 || photo)) marks.set("h", t("the state"));
  if (some(({ both }) => both)) marks.set("both", t("read in both directions"));
  marks.set("y", t("what is written, with its probability"));
  if (some(({ columns }) => columns.some(({ fed }) => fed))) marks.set("fed", t("what was written is read next"));
  for (const { rail, photo } of drawings) if (rail) marks.set(`${rail} ${photo ? "photo" : ""}`, t(`${photo ? "photo" : "source"} ${rail}`));
  return make("p", { class: "note task-legend" }, ...Array.from(marks, ([name, words]) => make("span", { class: `task-key of-${name}` }, make("i", { "aria-hidden": "true" }), words)));
}

function path(d, kind) {
  return svg("path", { class: `task-line ${kind}`, d });
}

/** A straight arrow, its head drawn with it. */
function arrow([[x1, y1], [x2, y2]], kind) {
  return path(`M${at(x1)} ${at(y1)} L${at(x2)} ${at(y2)} ${head(x2, y2, Math.atan2(y2 - y1, x2 - x1))}`, kind);
}

/** The head of an arrow that comes to a place at an angle. */
function head(x, y, angle) {
  const [one, two] = [angle + 2.6, angle - 2.6].map((turned) => `${at(x + HEAD * Math.cos(turned))} ${at(y + HEAD * Math.sin(turned))}`);
  return `M${one} L${at(x)} ${at(y)} L${two}`;
}
