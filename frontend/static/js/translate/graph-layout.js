/**
 * Where everything in the graph of encoder and decoder stands, in css px at scale 1. From the top:
 * the words written, the decoder's states, the contexts, the arcs, the annotations, the encoder's
 * layers (each backward over forward), the words read. Where the state alone is handed over there
 * are no contexts and no arcs. Pure: no page is needed.
 */

const LETTER = 7.9; // of the monospace type at 13 px
const NARROWEST = 30; // a column with room for its label
const NARROW = 21; // one without: its label leans, or is a character
const WIDEST = 1.7; // times as wide as a flat label needs, where there is room
const LONGEST = 11; // letters of a leaning label
const STRIP = 34; // height of a decoder state
const CONTEXT = 15;
const ENCODER = 30; // height of an encoder state
const BETWEEN = 15;
const ARCS = 132;
const HANDED = 34; // between decoder and encoder where only a state goes from one to the other
const WEIGHTS = 18; // the row of the weights as numbers

/** @typedef {{x: number, width: number, middle: number}} Column */

/** A label cut to the letters that fit where it leans. */
export function cut(label, leaning) {
  const letters = Array.from(label);
  return leaning && letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : label;
}

function columns(labels, narrow, pitch, stretch) {
  let x = 0;
  return labels.map((label) => {
    const width = narrow ? pitch : natural(label) * stretch;
    const column = { x, width, middle: x + width / 2 };
    x += width;
    return column;
  });
}

function natural(label) {
  return Math.max(NARROWEST, Math.ceil(Array.from(label).length * LETTER) + 16);
}

/** A character, or a sign at the end of a row, which may reach beyond its column. */
function slight(label, k, labels) {
  return Array.from(label).length < 3 || (k === labels.length - 1 && label.startsWith("<"));
}

function sum(labels) {
  return labels.reduce((total, label) => total + natural(label), 0);
}

/**
 * @param {object} given
 * @param {string[]} given.source labels of the tokens read
 * @param {string[]} given.target labels of the tokens written so far
 * @param {string} given.start label of the sign that the decoder starts from
 * @param {number} given.width room there is
 * @param {number} given.layers of the encoder
 * @param {boolean} given.bottleneck there is one vector and no attention
 * @param {boolean} [given.handed] the encoder's last state is the decoder's first, and all it gets
 * @param {boolean} [given.backward] the encoder reads backward too
 * @param {boolean} [given.tight] narrow columns even where labels would fit
 * @returns columns of both sides, heights of all rows, and whether labels lean; `pitch` changes where columns would move
 */
export function layoutOf({ source, target, start, width, layers, bottleneck, handed = false, backward: both = true, tight = false }) {
  const first = natural(start);
  const narrow = tight || Math.max(sum(source), sum(target) + first) > width;
  const leaning = narrow && !(source.every(slight) && target.every(slight));
  // By the source alone: a column that has been drawn must not move when the next one comes.
  const pitch = narrow ? Math.max(NARROW, Math.min(NARROWEST, width / (source.length + 3))) : 0;
  const roomy = Math.max(1, Math.min(WIDEST, (0.8 * width) / sum(source)));
  const stretch = (sum(target) + first) * roomy > width ? 1 : roomy;
  const sources = columns(source, narrow, pitch, stretch);
  const [begin, ...targets] = columns([start, ...target], narrow, pitch, stretch);
  const strip = narrow ? Math.max(9, pitch * 0.5) : 22;

  const label = leaning ? 74 : 26;
  const rows = { target: 0, label, decoder: label + 20, strip, contextHeight: CONTEXT, decoderHeight: STRIP, encoderHeight: ENCODER };
  rows.context = rows.decoder + STRIP + BETWEEN;
  rows.hang = rows.context + (bottleneck ? 6 : CONTEXT); // where arcs end
  rows.weights = rows.hang + ARCS;
  rows.annotation = rows.weights + (bottleneck ? 0 : WEIGHTS) + 5;
  if (handed) rows.annotation = rows.decoder + STRIP + HANDED;
  let y = rows.annotation + BETWEEN;
  rows.layers = []; // the last layer first
  for (let layer = layers - 1; layer >= 0; layer--) {
    const backward = both ? y : null;
    const forward = both ? y + ENCODER + BETWEEN - 3 : y;
    rows.layers.push({ layer, backward, forward, from: forward + ENCODER + BETWEEN });
    y = forward + ENCODER + BETWEEN + (layer ? 5 : 0);
  }
  rows.source = y + 3;
  const right = Math.max(end(sources), end(targets, begin));
  const over = leaning ? 44 : narrow ? 8 : 0; // of labels over the last column
  return {
    narrow,
    leaning,
    pitch: narrow ? pitch : stretch,
    source: sources,
    target: targets,
    begin,
    rows,
    box: bottleneck ? boxOf(sources, begin, rows) : null,
    handed,
    width: Math.max(width, right + over + 4),
    right,
    height: rows.source + label,
  };
}

function end(list, other = { x: 0, width: 0 }) {
  const last = list.at(-1) ?? other;
  return last.x + last.width;
}

/** The one vector's box, over the middle of what was read. */
function boxOf(sources, begin, rows) {
  const reach = Math.max(end(sources), 160);
  const width = Math.min(300, Math.max(140, reach * 0.55));
  const x = Math.max(begin.x + begin.width + 8, reach / 2 - width / 2);
  return { x, y: rows.weights - 46, width, height: 22 };
}
