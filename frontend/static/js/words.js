/** The page's words and numbers: translated strings, three significant digits, visible characters. */

const element = document.getElementById("page-data");
export const pageData = element ? JSON.parse(element.textContent) : { strings: {}, language: "en" };

/** A translated string; `{name}` is replaced. */
export function t(key, values = {}) {
  const text = pageData.strings[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** What the API tells of a checkpoint, with its title in the page's language. @param {object} about */
export function titled(about) {
  const titles = pageData.titles ?? {};
  return Object.hasOwn(titles, about.title) ? { ...about, title: titles[about.title] } : about;
}

/** Three significant digits with a real minus sign. */
export function short(value) {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  let text;
  if (size >= 1000) text = String(Math.round(size));
  else if (size >= 0.001) text = size.toPrecision(3);
  else text = size.toExponential(1).replace("e-", "e−").replace("e+", "e");
  return value < 0 ? `−${text}` : text;
}

/** The full value, for tooltips. */
export function full(value) {
  return String(value).replace("-", "−");
}

/** A share as a percentage: 91 %, 0.4 %. */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return "";
  const value = 100 * share;
  if (value >= 99.95) return "100%";
  if (value >= 9.95) return `${value.toFixed(0)}%`;
  if (value >= 0.095) return `${value.toFixed(1)}%`;
  return "<0.1%";
}

/** Whole numbers in the reader's language, e.g. 0.9 M. */
export function count(value) {
  return new Intl.NumberFormat(pageData.language, { notation: "compact", maximumFractionDigits: 2 }).format(value);
}

const MARKS = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽" };

/** A character as a visible mark; of a longer token what is not blank at its end. */
export function mark(token) {
  return MARKS[token] ?? (token.length > 1 ? token.trimEnd() || token : token);
}

/** A character as a word for a listener. */
export function spoken(character) {
  if (character === " ") return t("space");
  if (character === "\n") return t("new line");
  if (character === "\t") return t("tab");
  return character.length > 1 ? character.trimEnd() || character : character;
}

/** A text in the quotation marks of the page's language. */
export function inQuotes(text) {
  return pageData.language === "ru" ? `«${text}»` : `“${text}”`;
}

/** The name of a quantity in words, by letter. */
export function nameOf(letter) {
  return t(`name ${letter}`);
}

/** Nats of surprise at a token of this probability. */
export function surprise(probability) {
  return probability === null || probability === undefined ? NaN : -Math.log(probability);
}

/** Text that fits into `width`, cut with an ellipsis where it must be. */
export function fit(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 1 && context.measureText(`${characters.join("")}…`).width > width) characters.pop();
  return `${characters.join("")}…`;
}

/** Make an element. @returns {HTMLElement} */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name in node && name !== "list" && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
