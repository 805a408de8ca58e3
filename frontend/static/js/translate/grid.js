/** Where the cells of an alignment lie: rows of target tokens, columns of source tokens. */

const CELL = [15, 56]; // narrowest and widest, css px
const ROWS = [[14, 30], [22, 25], [32, 20], [Infinity, 17]]; // up to so many rows, so high
const TALLEST = 118; // of the slanted labels
const WIDEST = 132; // of the labels at the side
const SLANT = Math.PI / 3; // labels that do not fit lie over their columns at 60 degrees
const GAP = 8; // between labels and cells

export class Grid {
  /**
   * @param {CanvasRenderingContext2D} context  with the font of the labels
   * @param {{source: string[], target: string[], width: number, scale: number}} what
   */
  constructor(context, { source, target, width, scale }) {
    const widest = (labels) => Math.ceil(Math.max(0, ...labels.map((label) => context.measureText(label).width)));
    this.columns = source.length;
    this.rows = target.length;
    this.gutter = Math.min(WIDEST * scale, widest(target), width * 0.34) + GAP * scale;
    const room = (width - this.gutter) / Math.max(1, source.length);
    const label = Math.min(widest(source), TALLEST * scale);
    this.label = label;
    this.cellWidth = Math.max(CELL[0] * scale, Math.min(CELL[1] * scale, room));
    this.slanted = widest(source) > this.cellWidth - 4;
    if (this.slanted) {
      // The last labels lean out to the right of their columns.
      const lean = Math.cos(SLANT) * label;
      this.cellWidth = Math.max(CELL[0] * scale, Math.min(CELL[1] * scale, (width - this.gutter - lean) / Math.max(1, source.length)));
      this.lean = lean;
    } else this.lean = 0;
    this.slant = SLANT;
    this.cellHeight = ROWS.find(([most]) => target.length <= most)[1] * scale;
    this.top = (this.slanted ? Math.sin(SLANT) * label + 6 * scale : 15 * scale) + GAP * scale;
    this.width = Math.ceil(this.cellWidth * this.columns + this.lean + 2);
    this.height = Math.ceil(this.top + this.cellHeight * this.rows + 3);
  }

  x(column) {
    return column * this.cellWidth + 1;
  }

  y(row) {
    return this.top + row * this.cellHeight;
  }

  /** The cell at a place of the canvas; -1 in the labels of the other side. */
  at(x, y) {
    const source = Math.floor((x - 1) / this.cellWidth);
    const target = Math.floor((y - this.top) / this.cellHeight);
    return {
      source: source >= 0 && source < this.columns ? source : -1,
      target: target >= 0 && target < this.rows ? target : -1,
    };
  }
}
