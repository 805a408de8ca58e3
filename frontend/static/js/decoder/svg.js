/** SVG elements, and an SVG as a file that needs no style sheet. */

const HEAD = 30; // px over a saved drawing, for its name
const LETTER = 7.2; // px of that
const SPACE = "http://www.w3.org/2000/svg";
// What a picture keeps of the page's style, as attributes of its own.
const KEPT = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "paint-order", "opacity", "font-family", "font-size", "font-style", "font-weight",
  "text-anchor", "dominant-baseline", "text-decoration",
];

// Not handed on from parent to child: what stands where nothing was said.
const OWN = { opacity: "1", "text-decoration": "none" };

/** Make an SVG element; attributes that are null are left out. @returns {SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A number as short as a path needs it. */
export function at(value) {
  return Math.round(value * 10) / 10;
}

/** The values of KEPT, as computed. @returns {string[]} */
function stylesOf(node) {
  const style = getComputedStyle(node);
  return KEPT.map((name) => style.getPropertyValue(name === "text-decoration" ? `${name}-line` : name));
}

/**
 * A drawing as the text of an SVG file: on paper, with its styles written into it, named.
 * @param {SVGSVGElement} drawing in the page @param {string} title @param {string} paper its colour
 */
export function fileOf(drawing, title, paper) {
  const copy = drawing.cloneNode(true);
  const originals = drawing.querySelectorAll("*");
  const styles = new Map([[drawing, stylesOf(drawing)]]);
  copy.querySelectorAll("*").forEach((node, k) => {
    const style = stylesOf(originals[k]);
    styles.set(originals[k], style);
    const above = styles.get(originals[k].parentElement);
    KEPT.forEach((name, n) => {
      if (style[n] !== (OWN[name] ?? above[n])) node.setAttribute(name, style[n]);
      else node.removeAttribute(name); // it is inherited
    });
    for (const name of [...node.getAttributeNames()]) {
      if (/^(aria-|data-|class$|tabindex$|role$|style$)/.test(name)) node.removeAttribute(name);
    }
  });
  const { width, height } = drawing.viewBox.baseVal;
  for (const name of [...copy.getAttributeNames()]) copy.removeAttribute(name);
  copy.setAttribute("viewBox", `0 ${-HEAD} ${width} ${height + HEAD}`);
  KEPT.forEach((name, n) => copy.setAttribute(name, styles.get(drawing)[n]));
  copy.setAttribute("width", Math.ceil(width));
  copy.setAttribute("height", Math.ceil(height + HEAD));
  const most = Math.floor(width / LETTER);
  const head = title.length > most ? `${title.slice(0, most - 1)}…` : title;
  const look = { x: 8, y: 18 - HEAD, fill: getComputedStyle(document.body).color, "font-family": "system-ui, sans-serif", "font-size": 13 };
  copy.prepend(svg("title", {}, title), svg("rect", { y: -HEAD, width: "100%", height: "100%", fill: paper }), svg("text", look, head));
  return new XMLSerializer().serializeToString(copy);
}
