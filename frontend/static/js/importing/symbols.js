/** A vocabulary out of what somebody pasted: every way to read it, and the one that fits. */

/**
 * @typedef {object} Reading
 * @property {"list"|"lines"|"commas"|"characters"|"distinct"} how
 * @property {string[]} symbols
 */

const LONGEST = 200_000; // characters of a text that are cut at lines or commas

/**
 * Every way to read a text as a list of symbols, or of names, which are never cut into characters.
 * @param {string} text @param {boolean} ofSymbols @returns {Reading[]}
 */
export function readings(text, ofSymbols = true) {
  if (!text) return [];
  const listed = asList(text);
  if (listed) return [{ how: "list", symbols: listed }];
  const lines = text.replaceAll("\r\n", "\n").replace(/\n$/, "");
  const found = [];
  if (text.length <= LONGEST) {
    if (lines.includes("\n") || !ofSymbols) found.push({ how: "lines", symbols: lines.split("\n") });
    if (text.includes(",")) found.push({ how: "commas", symbols: lines.split(/\s*,\s*/).map((part) => part.trim()) });
    if (ofSymbols) found.push({ how: "characters", symbols: Array.from(text) });
  }
  return ofSymbols ? [...found, { how: "distinct", symbols: distinct(text) }] : found;
}

/**
 * The reading to begin with: one that gives as many symbols as are asked for, no symbol twice.
 * @param {Reading[]} all @param {number|null} size
 */
export function best(all, size) {
  const fits = all.find(({ symbols }) => symbols.length === size && !twice(symbols));
  return fits ?? all.find(({ symbols }) => symbols.length === size) ?? all[0] ?? null;
}

/** A symbol that is there more than once, or null. @param {string[]} symbols */
export function twice(symbols) {
  const seen = new Set();
  return symbols.find((symbol) => seen.size === seen.add(symbol).size) ?? null;
}

/** The characters of a text, each once, by their codes: what most who train on text make of it. */
function distinct(text) {
  const known = new Set(text);
  return [...known].sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
}

/** A list as JSON or Python write it, or a dictionary of symbols and their numbers; else null. */
export function asList(text) {
  const trimmed = text.trim();
  if (!/^[[{(]/.test(trimmed)) return null;
  let value;
  try {
    value = JSON.parse(trimmed);
  } catch {
    value = literal(trimmed);
  }
  if (Array.isArray(value)) return value.every((one) => ["string", "number"].includes(typeof one)) ? value.map(String) : null;
  return value && typeof value === "object" ? byNumber(Object.entries(value)) : null;
}

/** Symbols in the order of their numbers, whichever of the two comes first; null if some lack. */
function byNumber(pairs) {
  const numbered = pairs.every(([, number]) => Number.isInteger(number));
  const places = new Map(pairs.map(([a, b]) => (numbered ? [b, a] : [Number(a), b])));
  const symbols = pairs.map((_, k) => places.get(k));
  return symbols.length && symbols.every((one) => typeof one === "string") ? symbols : null;
}

const ESCAPES = { n: "\n", t: "\t", r: "\r", 0: "\0", a: "\x07", b: "\b", f: "\f", v: "\v" };
const PART = /\s*(?:([[\](){}:,])|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*/ys;

/** A list, tuple, set or dict of texts and numbers as Python prints it, flat; else null. */
function literal(text) {
  const tokens = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const match = PART.exec(text);
    if (!match) return null;
    const [, sign, number, single, double] = match;
    tokens.push(sign ? { sign } : { value: number !== undefined ? Number(number) : unescaped(single ?? double) });
  }
  const inner = tokens.slice(1, -1);
  const ends = `${tokens[0]?.sign}${tokens.at(-1)?.sign}`;
  if (!["[]", "()", "{}"].includes(ends)) return null;
  if (inner.at(-1)?.sign === ",") inner.pop();
  return inner[1]?.sign === ":" ? dict(inner) : list(inner);
}

function list(tokens) {
  if (tokens.some(({ sign }, k) => (k % 2 ? sign !== "," : sign !== undefined))) return null;
  return tokens.filter((_, k) => k % 2 === 0).map(({ value }) => value);
}

function dict(tokens) {
  const expected = [undefined, ":", undefined, ","];
  if (tokens.some(({ sign }, k) => sign !== expected[k % 4])) return null;
  const pairs = new Map();
  for (let k = 0; k + 2 < tokens.length; k += 4) pairs.set(tokens[k].value, tokens[k + 2].value);
  return Object.fromEntries(pairs);
}

function unescaped(text) {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs, (_, x, u, long, one) => {
    const code = x ?? u ?? long;
    if (code !== undefined) return Number.parseInt(code, 16) <= 0x10ffff ? String.fromCodePoint(Number.parseInt(code, 16)) : "\ufffd";
    return ESCAPES[one] ?? one;
  });
}
