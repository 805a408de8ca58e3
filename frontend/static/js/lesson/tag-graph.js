/** A tagger unrolled over its words: words, cells of both directions, tags. */

import { color } from "../color.js";
import { make, percent, t } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const UNSURE = 0.8; // below this a tag is drawn as doubtful
const HIGH = { tag: 14, share: 34, back: 66, forth: 110, word: 168, all: 182 }; // css px from above
const CELL = { width: 26, height: 22 };

/**
 * @param {{tokens: string[], tags: string[], known: boolean[]}} found
 * @param {{x: number, width: number}[]} columns
 * @param {{sure: number[], at: number, both: boolean, names, onGo: (at: number, focus: boolean) => void}} options
 */
export function tagGraph({ tokens, tags, known }, columns, { sure, at, both, names, onGo }) {
  const scale = parseFloat(color("--scale")) || 1;
  const y = Object.fromEntries(Object.entries(HIGH).map(([name, value]) => [name, value * scale]));
  if (!both) y.back = y.forth;
  const [w, h] = [CELL.width * scale, CELL.height * scale];
  const width = columns.at(-1).x + columns.at(-1).width;
  const middle = columns.map((column) => column.x + column.width / 2);
  const svg = draw("svg", { class: "tag-graph", width, height: y.all, viewBox: `0 0 ${width} ${y.all}`, role: "group", "aria-label": t("the network unrolled over {n} words", { n: tokens.length }) });
  svg.append(
    draw("defs", {}, ...["forth", "back"].map((name) => draw("marker", { id: `tag-${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, draw("path", { d: "M0 0 8 4 0 8z", class: "tip" })))),
  );
  tokens.forEach((token, k) => svg.append(word(k)));
  for (let k = 0; k + 1 < tokens.length; k++) {
    svg.append(draw("path", { class: "way forth", d: `M${middle[k] + w / 2 + 2} ${y.forth}H${middle[k + 1] - w / 2 - 3}`, "marker-end": "url(#tag-forth)" }));
    if (both) svg.append(draw("path", { class: "way back", d: `M${middle[k + 1] - w / 2 - 2} ${y.back}H${middle[k] + w / 2 + 3}`, "marker-end": "url(#tag-back)" }));
  }
  return svg;

  function word(k) {
    const [x, column] = [middle[k], columns[k]];
    const doubtful = sure[k] < UNSURE;
    const label = `${tokens[k]}: ${tags[k]} ${names(tags[k])}, ${percent(sure[k])}`;
    const bar = 30 * scale;
    const group = draw("g", { class: `tagged${k === at ? " at" : ""}${doubtful ? " doubtful" : ""}${known[k] ? "" : " unknown"}`, role: "button", tabindex: k === at ? 0 : -1, "data-word": k, "aria-label": label, "aria-pressed": k === at });
    const [low, high] = [y.forth, y.back];
    const side = both ? w / 4 : 0; // the ways of the two states pass each other
    group.append(
      draw("title", {}, label),
      draw("rect", { class: "column", x: column.x + 1, y: 0, width: column.width - 2, height: y.all, rx: 5 }),
      draw("text", { class: "tag", x, y: y.tag }, `${tags[k]}${doubtful ? "?" : ""}`),
      draw("rect", { class: "tag-track", x: x - bar / 2, y: y.tag + 6 * scale, width: bar, height: 3 * scale }),
      draw("rect", { class: "tag-share", x: x - bar / 2, y: y.tag + 6 * scale, width: bar * sure[k], height: 3 * scale }),
      draw("text", { class: "percent", x, y: y.share }, percent(sure[k])),
      draw("path", { class: "up out", d: `M${x + side} ${low - h / 2}V${y.share + 6 * scale}` }),
      draw("path", { class: "up in", d: `M${x - side} ${y.word - 16 * scale}V${(both ? high : low) + h / 2}` }),
      draw("rect", { class: "cell forth", x: x - w / 2, y: low - h / 2, width: w, height: h, rx: 5 }),
    );
    if (both) group.append(draw("path", { class: "up out", d: `M${x - side} ${high - h / 2}V${y.share + 6 * scale}` }), draw("rect", { class: "cell back", x: x - w / 2, y: high - h / 2, width: w, height: h, rx: 5 }));
    group.append(draw("text", { class: "word", x, y: y.word }, tokens[k]));
    group.addEventListener("click", () => onGo(k, false));
    group.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, Enter: 0, " ": 0 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      onGo(Math.max(0, Math.min(tokens.length - 1, k + by)), true);
    });
    return group;
  }
}

/** The rows of the graph in words, beside it. @returns {HTMLElement} */
export function graphKey(both) {
  const sample = (name) => make("i", { class: `way-sample ${name}` });
  const parts = [make("span", {}, sample("forth"), t("reads from left to right"))];
  if (both) parts.push(make("span", {}, sample("back"), t("reads from right to left")));
  parts.push(make("span", {}, make("b", { class: "num" }, "?"), ` ${t("less than {share} sure", { share: percent(UNSURE) })}`));
  return make("p", { class: "note small label-keys" }, ...parts);
}

function draw(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
