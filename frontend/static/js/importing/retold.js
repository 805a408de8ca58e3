/** The doctor's sentences in the reader's language. */

import { pageData, t } from "../words.js";

/**
 * A sentence of a diagnosis: by its template and values where the page knows the template.
 * @param {string} text @param {Record<string, {template: string, values: object}>} templates
 */
export function retold(text, templates = {}) {
  const said = Object.hasOwn(templates, text) ? templates[text] : null;
  if (!said || pageData.language === "en" || !Object.hasOwn(pageData.strings, said.template)) return text;
  const values = Object.entries(said.values).map(([name, value]) => [name, retold(shown(value), templates)]);
  return t(said.template, Object.fromEntries(values));
}

/** Whether a sentence stays in English on a page of another language. */
export function untold(text, templates = {}) {
  return pageData.language !== "en" && retold(text, templates) === text;
}

// Words of the doctor's own among the values; all others are names out of the file.
const OWN = new Set(["a fixed text", "your text", "kept", "forgotten"]);

function shown(value) {
  if (Array.isArray(value)) return value.every((size) => typeof size === "number") ? shape(value) : value.join(", ");
  return OWN.has(value) ? t(value) : String(value);
}

/** A shape as people write it. @param {number[]} sizes */
export function shape(sizes) {
  return sizes.length ? sizes.join(" × ") : t("one number");
}

/** A size in bytes. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let k = 0;
  while (count >= 1000 && k < units.length - 1) {
    count /= 1000;
    k += 1;
  }
  const digits = k && count < 100 ? 1 : 0;
  return `${new Intl.NumberFormat(pageData.language, { maximumFractionDigits: digits }).format(count)} ${t(units[k])}`;
}
