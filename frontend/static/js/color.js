/**
 * One language of colour. The hues live in base.css as custom properties; this module reads them
 * once a theme and builds 256-step ramps that are even to the eye (interpolated in OKLab).
 */

/** @typedef {{table: Uint32Array, css: string[]}} Ramp  colours as ABGR words and as CSS text */

const LETTERS = "hcxyifgorzna";
const OUTPUT = "y";
let cache = new Map();

/** Forget everything read from the style sheet; call when the theme changes. */
export function forgetColors() {
  cache = new Map();
}

/** Draw again when the theme changes or a projector is there: colours and `--scale` are read anew. @param {() => void} redraw */
export function onRestyle(redraw) {
  const again = () => {
    forgetColors();
    redraw();
  };
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-present"] });
}

/** A custom property of the page, e.g. `color("--ink")`. */
export function color(property) {
  let value = cache.get(property);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(property).trim();
    cache.set(property, value);
  }
  return value;
}

/** The hue of a quantity by its letter. */
export function hue(letter) {
  return color(LETTERS.includes(letter) ? `--q-${letter}` : "--q-a");
}

/** The ramp of a point: signed values diverge, values in 0..1 rise in the quantity's own hue. */
export function rampOf(range, letter) {
  if (range === "unit") return sequential(hue(letter));
  if (range === "probability") return sequential(hue(OUTPUT));
  return signedRamp();
}

/** Blue below zero, orange above, neutral exactly in the middle. */
export function signedRamp() {
  return remembered("signed", () =>
    build(["--signed-low", "--signed-low-mid", "--signed-zero", "--signed-high-mid", "--signed-high"].map(color)),
  );
}

/** Weights of attention, 0 to 1: paper to deep violet on light, black to pale violet on dark. */
export function attentionRamp() {
  return remembered("attention", () =>
    build([color("--ramp-floor"), mix(color("--ramp-floor"), color("--q-attention"), 0.5), color("--q-attention"), color("--attention-end")]),
  );
}

/** Paper to a hue to its deep end. */
export function sequential(css) {
  return remembered(`sequential ${css}`, () => {
    const end = mix(css, color("--ramp-end"), 0.22);
    return build([color("--ramp-floor"), mix(color("--ramp-floor"), css, 0.5), css, end]);
  });
}

/** Ink that can be read on a colour of a ramp: black or white, whichever has the more contrast, which
 *  is 4.58 or better (WCAG 2's relative luminance, where both have as much at 0.179). */
export function inkOn(css) {
  return remembered(`ink on ${css}`, () => {
    const [r, g, b] = linear(parse(css));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
  });
}

function remembered(key, make) {
  if (!cache.has(key)) cache.set(key, make());
  return cache.get(key);
}

/** @returns {Ramp} */
function build(stops) {
  const labs = stops.map((css) => toLab(parse(css)));
  const table = new Uint32Array(256);
  const css = new Array(256);
  for (let k = 0; k < 256; k++) {
    const place = (k / 255) * (labs.length - 1);
    const left = Math.min(Math.floor(place), labs.length - 2);
    const [r, g, b] = fromLab(blend(labs[left], labs[left + 1], place - left));
    table[k] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    css[k] = `rgb(${r} ${g} ${b})`;
  }
  return { table, css };
}

/** A blend of two CSS hex colours in OKLab. */
export function mix(one, two, share) {
  const [r, g, b] = fromLab(blend(toLab(parse(one)), toLab(parse(two)), share));
  return `#${[r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

function blend(a, b, share) {
  return a.map((value, k) => value + (b[k] - value) * share);
}

function parse(css) {
  const words = css.match(/^rgb\((\d+) (\d+) (\d+)\)$/);
  if (words) return words.slice(1).map(Number);
  return [1, 3, 5].map((k) => parseInt(css.slice(k, k + 2), 16));
}

/** sRGB bytes to light. */
function linear(rgb) {
  return rgb.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
}

// OKLab: Ottosson 2020.
function toLab(rgb) {
  const [r, g, b] = linear(rgb);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromLab([L, A, B]) {
  const l = (L + 0.3963377774 * A + 0.2158037573 * B) ** 3;
  const m = (L - 0.1055613458 * A - 0.0638541728 * B) ** 3;
  const s = (L - 0.0894841775 * A - 1.291485548 * B) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((v) => {
    const bent = v <= 0.0031308 ? 12.92 * v : 1.055 * Math.max(v, 0) ** (1 / 2.4) - 0.055;
    return Math.max(0, Math.min(255, Math.round(bent * 255)));
  });
}
