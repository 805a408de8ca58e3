/** The pen of an alignment: cells, labels on both sides, and the marks upon them. */

import { attentionRamp, color, inkOn, signedRamp } from "../color.js";
import { hatch, sharpen } from "../raster.js";
import { fit, percent, short } from "../words.js";

const ARRIVAL = 160; // ms a new row takes to appear
const NUMBERS = 33; // css px a cell needs to carry its number
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Colours of a quantity. @param {"weight"|"energy"} quantity */
export function rampFor(quantity) {
  return quantity === "energy" ? signedRamp() : attentionRamp();
}

/**
 * Every cell that there is, with its number in the row that is lifted out.
 * @param {{row: (k: number) => ArrayLike<number>|undefined, quantity: string, limits: number[],
 *   shown: number, born: number[], forced: (number|null)[]}} what
 *   `born`: when each row came
 * @returns {boolean} a row is still arriving
 */
export function paintCells(context, grid, { row: rowAt, quantity, limits: [low, high], shown, born, forced }, now, scale) {
  const ramp = rampFor(quantity);
  const gap = grid.cellWidth > 20 ? 1 : 0.5;
  let young = false;
  for (let i = 0; i < grid.rows; i++) {
    const row = rowAt(i);
    const age = calm.matches ? 1 : Math.min(1, (now - born[i] + 16) / ARRIVAL);
    young ||= age < 1;
    context.globalAlpha = age;
    for (let j = 0; j < grid.columns; j++) {
      const [x, y, w, h] = [grid.x(j), grid.y(i), grid.cellWidth - gap, grid.cellHeight - gap];
      const value = row ? row[j] : undefined;
      if (value === undefined) continue;
      if (!Number.isFinite(value)) {
        hatch(context, x, y, w, h, color("--ink-3"));
        continue;
      }
      const fill = ramp.css[Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (high - low))))];
      context.fillStyle = fill;
      context.fillRect(x, y, w, h);
      if (i !== shown || forced[i] === j || grid.cellWidth < NUMBERS * scale || (quantity === "weight" && value < 0.005)) continue;
      context.fillStyle = inkOn(fill);
      context.font = `${10.5 * scale}px ${color("--mono")}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(quantity === "weight" ? percent(value) : short(value), x + w / 2, y + h / 2 + 0.5);
    }
  }
  context.globalAlpha = 1;
  return young;
}

/** Words read, over their columns. @param {import("./translation.js").SourceToken[]} source */
export function paintColumns(context, grid, source, shown, font) {
  context.textBaseline = "middle";
  source.forEach((token, j) => {
    const strong = shown === j;
    context.font = strong ? `600 ${font}` : font;
    context.fillStyle = color(strong ? "--ink" : token.stop > token.start ? "--ink-2" : "--ink-3");
    context.save();
    context.translate(grid.x(j) + grid.cellWidth / 2, grid.top - 8);
    if (grid.slanted) {
      context.rotate(-grid.slant);
      context.textAlign = "left";
      context.fillText(fit(context, token.label, grid.label), 0, 0);
    } else {
      context.textAlign = "center";
      context.textBaseline = "alphabetic";
      context.fillText(token.label, 0, 1);
    }
    context.restore();
  });
}

/** Words written, beside their rows. @param {import("./translation.js").TargetToken[]} target */
export function paintRows(canvas, grid, target, shown, font, scale) {
  const { context, ratio } = sharpen(canvas, grid.gutter, grid.height);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.textAlign = "right";
  context.textBaseline = "middle";
  target.forEach((token, i) => {
    context.font = shown === i || token.chosen ? `600 ${font}` : font;
    context.fillStyle = color(token.chosen || token.forced !== null ? "--accent" : shown === i ? "--ink" : "--ink-2");
    context.fillText(fit(context, token.label, grid.gutter - 8 * scale), grid.gutter - 7 * scale, grid.y(i) + grid.cellHeight / 2);
  });
}

/** What is pointed at, what is chosen, and where a reader made it look. */
export function paintMarks(context, grid, link, target, scale) {
  const whole = [grid.x(0) - 1, grid.top - 1, grid.cellWidth * grid.columns + 1, grid.cellHeight * grid.rows + 1];
  const cross = ({ target: row, source: column }, ink, width, dash) => {
    context.strokeStyle = ink;
    context.lineWidth = width * scale;
    context.setLineDash(dash);
    if (row >= 0 && row < grid.rows) context.strokeRect(whole[0], grid.y(row) - 0.75, whole[2], grid.cellHeight + 0.5);
    if (column >= 0 && column < grid.columns) context.strokeRect(grid.x(column) - 0.75, whole[1], grid.cellWidth + 0.5, whole[3]);
    context.setLineDash([]);
  };
  cross(link.pin, color("--ink"), 1.25, []);
  if (link.hover.target >= 0 || link.hover.source >= 0) cross(link.hover, color("--accent"), 1, [3, 3]);
  target.forEach(({ forced }, i) => {
    if (forced === null) return;
    const [x, y] = [grid.x(forced) + grid.cellWidth / 2, grid.y(i) + grid.cellHeight / 2];
    const size = Math.min(5 * scale, grid.cellHeight / 3);
    context.fillStyle = color("--paper");
    context.strokeStyle = color("--accent");
    context.lineWidth = 1.75 * scale;
    context.beginPath();
    context.moveTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.lineTo(x - size, y);
    context.closePath();
    context.fill();
    context.stroke();
  });
}
