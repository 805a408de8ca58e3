/** Marks upon the picture: the grid with its numbers, cells, the marked part, where a word looks. */

import { color } from "../color.js";
import { percent } from "../words.js";

const NARROW = 27; // css px a cell needs to carry its number

/** Where the cells lie on a picture of this size. */
export class Frame {
  constructor(width, height, rows, columns) {
    Object.assign(this, { width, height, rows, columns });
  }

  /** The cell at a place; -1 outside. */
  at(x, y) {
    const [row, column] = [Math.floor((y / this.height) * this.rows), Math.floor((x / this.width) * this.columns)];
    const inside = row >= 0 && row < this.rows && column >= 0 && column < this.columns;
    return inside ? row * this.columns + column : -1;
  }

  /** Left, top, width and height of a run of cells. */
  box({ top, left, bottom, right }) {
    const [w, h] = [this.width / this.columns, this.height / this.rows];
    return [left * w, top * h, (right - left + 1) * w, (bottom - top + 1) * h];
  }

  cellBox(cell) {
    const [row, column] = [Math.floor(cell / this.columns), cell % this.columns];
    return this.box({ top: row, bottom: row, left: column, right: column });
  }

  middle(cell) {
    const [x, y, w, h] = this.cellBox(cell);
    return [x + w / 2, y + h / 2];
  }
}

/** A line that can be seen on any picture: pale on a dark casing. */
function cased(context, draw, { ink, width, dash = [] }) {
  context.setLineDash([]);
  context.strokeStyle = "rgb(10 6 24 / 0.72)";
  context.lineWidth = width + 2;
  draw();
  context.setLineDash(dash);
  context.strokeStyle = ink;
  context.lineWidth = width;
  draw();
  context.setLineDash([]);
}

/** Lines between cells, and the number of each where it fits. @param {boolean} shares  of one word */
export function paintGrid(context, frame, weights, shares, scale) {
  const { width, height, rows, columns } = frame;
  const [w, h] = [width / columns, height / rows];
  context.strokeStyle = "rgb(255 255 255 / 0.3)";
  context.lineWidth = 1;
  context.beginPath();
  for (let k = 1; k < columns; k++) context.rect(Math.round(k * w), 0, 0, height);
  for (let k = 1; k < rows; k++) context.rect(0, Math.round(k * h), width, 0);
  context.stroke();
  if (w < NARROW * scale || h < 14 * scale) return;
  const most = Math.max(...weights);
  context.font = `500 ${Math.min(12, w / 3.7) * (scale > 1 ? 1.25 : 1)}px ${color("--mono")}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  weights.forEach((weight, cell) => {
    const [x, y] = frame.middle(cell);
    context.globalAlpha = weight >= 0.35 * most ? 1 : 0.72;
    context.lineWidth = 3;
    context.strokeStyle = "rgb(10 6 24 / 0.62)";
    context.fillStyle = "#ffffff";
    const text = shares ? percent(weight).replace("<0.1%", "·") : weight < 0.005 ? "·" : weight.toFixed(2);
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  });
  context.globalAlpha = 1;
}

/** The part that is marked; a cell that is pointed at. */
export function paintArea(context, frame, area, scale, pointed = false) {
  const [x, y, w, h] = frame.box(area);
  cased(context, () => context.strokeRect(x + 1.5, y + 1.5, w - 3, h - 3), { ink: pointed ? "rgb(255 255 255 / 0.85)" : "#ffffff", width: (pointed ? 1 : 2) * scale, dash: pointed ? [4, 3] : [] });
}

/** Where a word looks most: a ring that can be taken and put elsewhere. */
export function paintRing(context, [x, y], scale) {
  const radius = 7 * scale;
  cased(context, () => (context.beginPath(), context.arc(x, y, radius, 0, 2 * Math.PI), context.stroke()), { ink: "#ffffff", width: 1.75 * scale });
}

/** Where a reader made it look. */
export function paintDiamond(context, [x, y], scale) {
  const size = 9 * scale;
  const draw = () => {
    context.beginPath();
    context.moveTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.lineTo(x - size, y);
    context.closePath();
    context.stroke();
  };
  cased(context, draw, { ink: "#ffffff", width: 2.25 * scale });
}

/** The way that attention is being dragged. */
export function paintWay(context, from, to, scale) {
  cased(context, () => (context.beginPath(), context.moveTo(...from), context.lineTo(...to), context.stroke()), { ink: "#ffffff", width: 1.5 * scale, dash: [5, 4] });
}
