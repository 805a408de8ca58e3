/** What the doctor asks, as forms. What is typed is kept by the tab until the import is answered. */

import { make, mark, t } from "../words.js";
import { retold } from "./retold.js";
import { best, readings, twice } from "./symbols.js";

const SHOWN = 160; // symbols of a preview
const FEW = 4; // answers that nobody has in a file

/** What was typed, by import and question: a reload or an answer that was refused loses nothing. */
const drafts = {
  get: (key) => {
    try {
      return sessionStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  },
  set: (key, text) => {
    try {
      sessionStorage.setItem(key, text);
    } catch {
      // It is kept as long as the page, in the field itself.
    }
  },
};

/**
 * One question. `value()` is its answer, or null while there is none.
 * @param {object} question  of a diagnosis @param {object} templates @param {string} id  of the import
 * @returns {{element: HTMLElement, name: string, value: () => (string[]|string|null), fault: (text: string) => void}}
 */
export function asked(question, templates, id, onChange) {
  const fault = make("p", { class: "fault-line", id: `fault-${question.name}`, role: "alert", hidden: true });
  const legend = make("legend", {}, retold(question.text, templates));
  const part = question.form === "choice" ? choice(question, templates, onChange) : listing(question, templates, id, onChange);
  const element = make("fieldset", { class: "asked", "data-question": question.name }, legend, ...part.parts, fault);
  return {
    element,
    name: question.name,
    value: part.value,
    fault: (text) => {
      fault.textContent = text;
      fault.hidden = !text;
      part.field?.setAttribute("aria-invalid", String(Boolean(text)));
    },
  };
}

function choice(question, templates, onChange) {
  const inputs = question.choices.map(({ value }) => make("input", { type: "radio", name: `answer-${question.name}`, value }));
  const labels = question.choices.map(({ value, says }, k) => {
    const words = retold(says, templates);
    return make("label", { class: "choice" }, inputs[k], make("span", {}, words), words === value ? "" : make("code", { class: "num quiet" }, value));
  });
  for (const input of inputs) input.addEventListener("change", onChange);
  return { parts: [make("div", { class: "choices" }, ...labels)], value: () => inputs.find((one) => one.checked)?.value ?? null };
}

function listing(question, templates, id, onChange) {
  const ofSymbols = /vocabulary|alphabet|symbols/.test(question.name);
  const key = `import ${id} ${question.name}`;
  const field = make("textarea", {
    id: `answer-${question.name}`, rows: (question.size ?? FEW + 1) > FEW ? "4" : "3", spellcheck: "false", autocomplete: "off", autocapitalize: "off", dir: "auto",
    "aria-describedby": `count-${question.name} fault-${question.name}`, placeholder: t(ofSymbols ? "paste symbols" : "paste names"), "aria-label": retold(question.text, templates),
  });
  const count = make("p", { class: "count", id: `count-${question.name}`, "aria-live": "polite" });
  const ways = make("div", { class: "ways", role: "group", "aria-label": t("read as") });
  const preview = make("p", { class: "preview num", "aria-hidden": "true" });
  const file = make("input", { type: "file", class: "out-of-sight", tabindex: "-1", "aria-hidden": "true", accept: ".txt,.json,.vocab,.csv,text/*" });
  const choose = make("button", { class: "button", type: "button" }, t("Choose a text or vocabulary file"));
  let all = [];
  let chosen = null;
  let typed = drafts.get(key);
  field.value = typed;

  const show = () => {
    const symbols = chosen?.symbols ?? [];
    const double = twice(symbols);
    const right = symbols.length === question.size && double === null;
    const numbers = { n: symbols.length, size: question.size };
    count.textContent = !typed ? t("{size} are needed", numbers)
      : double !== null ? t("{n} of {size}; twice: {symbol}", { ...numbers, symbol: mark(double) }) : t("{n} of {size}", numbers);
    count.classList.toggle("right", right);
    ways.replaceChildren(...(all.length > 1 ? [make("span", { class: "quiet" }, t("read as")), ...all.map(way)] : []));
    const marks = symbols.slice(0, SHOWN).map((symbol) => make("i", {}, symbol === "" ? "∅" : Array.from(symbol).map(mark).join("")));
    preview.replaceChildren(...marks, symbols.length > SHOWN ? "…" : "");
    onChange();
  };
  const way = (reading) => {
    const button = make("button", { class: "plain", type: "button", "aria-pressed": String(reading === chosen) }, t(`as ${reading.how}`, { n: reading.symbols.length }));
    button.addEventListener("click", () => {
      chosen = reading;
      show();
      ways.querySelector("[aria-pressed=true]")?.focus();
    });
    return button;
  };
  const read = (text) => {
    typed = text;
    drafts.set(key, text.length > 1e6 ? "" : text);
    all = readings(text, ofSymbols);
    chosen = best(all, question.size);
    show();
  };
  field.addEventListener("input", () => read(field.value));
  choose.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const text = (await file.files[0].text()).replace(/^\ufeff/, "");
    // A whole book in a field makes it slow: it is read, and its beginning shown.
    field.value = text.length > 1e5 ? `${text.slice(0, 1e3)}…` : text;
    read(text);
    file.value = "";
  });
  const guesses = question.guesses.map(({ says, value }) => {
    const button = make("button", { class: "button guess", type: "button" }, retold(says, templates));
    button.addEventListener("click", () => {
      field.value = JSON.stringify(value);
      read(field.value);
      field.focus();
    });
    return button;
  });
  const offered = guesses.length ? [make("p", { class: "quiet guesses-line" }, t(ofSymbols ? "Guesses, by the number alone:" : "Often:")), make("div", { class: "guesses" }, ...guesses)] : [];
  queueMicrotask(() => read(typed));
  return {
    field,
    parts: [...offered, make("div", { class: "paste" }, field, make("div", { class: "paste-foot" }, count, ...((question.size ?? FEW + 1) > FEW ? [choose, file] : []))), ways, preview],
    value: () => (chosen && chosen.symbols.length ? chosen.symbols : null),
  };
}
