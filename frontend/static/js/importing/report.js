/** The doctor's report: what the file is, the proof that it was understood, its health. */

import { make, pageData, short, t } from "../words.js";
import { chains } from "./chains.js";
import { asked } from "./questions.js";
import { bytes, retold, shape, untold } from "./retold.js";

const MOST_WELL = 3; // things that are well and stand open

/**
 * @param {object} one  an import with its diagnosis
 * @param {{answer: (body: object) => Promise<void>, remove: () => Promise<void>, fail: (error: Error) => void}} hands
 * @returns {HTMLElement}
 */
export function report(one, hands) {
  const found = { templates: {}, says: [], questions: [], proof: [], health: [], problems: [], config: {}, ...one.diagnosis };
  const article = make("article", { class: `report ${one.status}`, "aria-labelledby": "report-title" }, head(one, found));
  if (one.status === "asking" && pageData.importing) article.append(questions(one, found, hands));
  if (one.status === "ready") article.append(doors(one));
  if (one.status === "unusable") article.append(reasons(one, found));
  article.append(understood(found), proven(found), healthy(found));
  if (pageData.importing) article.append(foot(one, hands));
  return article;
}

/** A sentence of the doctor, marked as English where it stays so. */
function sentence(tag, text, found, attributes = {}) {
  return make(tag, { ...attributes, lang: untold(text, found.templates) ? "en" : null }, retold(text, found.templates));
}

function head(one, found) {
  const facts = [make("bdi", { class: "num" }, one.name), bytes(one.bytes ?? 0), t(`format ${one.format}`), make("span", { class: "num", title: `SHA-256 ${one.sha256}` }, `SHA-256 ${(one.sha256 ?? "").slice(0, 12)}…`)];
  return make(
    "header", {},
    make("p", { class: "report-file" }, ...facts.map((fact) => make("span", {}, fact))),
    make("h3", { id: "report-title", tabindex: "-1" }, headline(one, found)),
    make("p", { class: "verdict" }, make("span", { class: `state ${one.status === "unusable" ? "failed" : one.status}` }, t(`verdict ${one.status}`, { n: found.questions.length }))),
  );
}

/** What it is, in one line. */
function headline(one, found) {
  const { num_layers: layers, hidden_size: hidden, vocab_size: symbols } = found.config ?? {};
  const title = retold(found.title ?? "", found.templates);
  const parts = [title ? title[0].toUpperCase() + title.slice(1) : t("A file of weights")];
  if (layers && hidden) parts.push(layers === 1 ? t("one layer of {hidden} units", { hidden }) : t("{layers} layers of {hidden} units", { layers, hidden }));
  if (symbols) parts.push(t("{n} symbols", { n: symbols }));
  return parts.join(", ");
}

function section(title, ...parts) {
  return make("section", {}, make("h4", {}, title), ...parts);
}

function nothing() {
  return document.createDocumentFragment();
}

function questions(one, found, hands) {
  const send = make("button", { class: "button primary large", type: "submit" }, t("Use these answers"));
  const title = titleField(one);
  const forms = found.questions.map((question) => asked(question, found.templates, one.id, () => (send.disabled = !forms.some((form) => form.value() !== null))));
  const form = make("form", { class: "questions", novalidate: true }, ...forms.map((part) => part.element), title.element, make("p", { class: "go" }, send));
  send.disabled = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    forms.forEach((part) => part.fault(""));
    const answers = Object.fromEntries(forms.map((part) => [part.name, part.value()]).filter(([, value]) => value !== null));
    send.disabled = true;
    send.setAttribute("aria-busy", "true");
    try {
      await hands.answer({ answers, title: title.value() });
    } catch (error) {
      const wrong = forms.find((part) => part.name === error.details?.name);
      if (!wrong) return hands.fail(error);
      const { found: given, expected } = error.details;
      wrong.fault(given !== null && expected ? t("It has {n}, and {size} are needed.", { n: given, size: expected }) : t("This answer cannot be used: {why}", { why: error.message }));
      wrong.element.querySelector("textarea, input")?.focus();
    } finally {
      send.disabled = false;
      send.removeAttribute("aria-busy");
    }
  });
  return form;
}

function titleField(one) {
  const input = make("input", { type: "text", maxlength: "120", value: one.title ?? "", autocomplete: "off", dir: "auto" });
  return { element: make("label", { class: "titled" }, make("span", {}, t("What it is called here")), input), value: () => input.value };
}

function doors(one) {
  const at = `/${pageData.language}`;
  return make(
    "p", { class: "go" },
    make("a", { class: "button primary large", href: `${at}/lab/${one.id}` }, t("Open in the lab")),
    make("a", { class: "quieter", href: `${at}/checkpoints/${one.id}` }, t("Its card")),
  );
}

function reasons(one, found) {
  const known = found.problems.map((text) => sentence("li", text, found));
  const loading = one.reason && !found.problems.length ? [make("li", { lang: "en" }, one.reason)] : [];
  return section(t("Why nothing here can run it"), make("ul", { class: "problems" }, ...known, ...loading));
}

/** The chain of layers, and which names of the file say so. */
function understood(found) {
  if (!found.says.length) return nothing();
  const rows = found.says.map((one) => {
    const names = one.names.map((name) => make("bdi", {}, name));
    return make("tr", {}, sentence("td", one.text, found), make("td", { class: "num names" }, ...names), make("td", { class: "num" }, one.shape ? shape(one.shape) : ""));
  });
  const heads = [t("what was found"), t("in the file"), t("shape")].map((text) => make("th", { scope: "col" }, text));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  return section(t("What it is"), ...chains(found), make("div", { class: "table found", role: "region", tabindex: "0", "aria-label": t("What it is") }, table));
}

/** Our formulas against torch's own layer. */
function proven(found) {
  if (!found.proof.length) return nothing();
  const worst = found.proof.reduce((a, b) => (b.digits < a.digits ? b : a));
  const line = t("Computed gate by gate, every layer gives what torch's own layer gives, to {n} digits or more.", { n: Math.floor(worst.digits) });
  const agrees = worst.digits >= 5;
  const says = agrees ? line : t("Computed gate by gate, {layer} differs from torch's own layer after {n} digits: it may not have been understood.", { layer: worst.layer, n: Math.floor(worst.digits) });
  const rows = found.proof.map((one) => make("tr", {}, make("td", { class: "num" }, `${one.layer}.${one.quantity}`), make("td", { class: "num right" }, short(one.largest_difference)), make("td", { class: "num right" }, short(one.digits))));
  const heads = [t("quantity"), t("largest difference"), t("digits that agree")].map((text, k) => make("th", { scope: "col", class: k ? "right" : null }, text));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  const on = found.probe ? make("p", { class: "quiet" }, t("Tried on {probe}.", { probe: retold(found.probe, found.templates) })) : "";
  return section(
    t("Proof that it was understood"),
    make("p", { class: agrees ? "level good" : "level bad" }, says), on,
    make("details", {}, make("summary", {}, t("layer by layer")), make("div", { class: "table" }, table)),
  );
}

function healthy(found) {
  if (!found.health.length) return nothing();
  const line = (one) => {
    const words = sentence("span", one.says, found);
    const where = one.where && !one.says.includes(one.where) ? make("bdi", { class: "num quiet where" }, one.where) : "";
    return make("li", { class: `level ${one.level}` }, make("b", { class: "level-word" }, t(`level ${one.level}`)), words, where);
  };
  const of = (...levels) => found.health.filter(({ level }) => levels.includes(level)).map(line);
  const [notable, well] = [[...of("bad"), ...of("look")], of("good")];
  const parts = notable.length ? [make("ul", { class: "health" }, ...notable)] : [];
  if (well.length > MOST_WELL) {
    const summary = make("summary", {}, make("span", { class: "level good" }, t("Well in {n} ways that were looked at", { n: well.length })));
    parts.push(make("details", {}, summary, make("ul", { class: "health" }, ...well)));
  } else if (well.length) parts.push(make("ul", { class: "health" }, ...well));
  return section(t("Health"), ...parts);
}

/** What can be done with it as a whole: another name, answers taken back, deletion. */
function foot(one, hands) {
  const parts = [];
  if (one.status === "ready") {
    const title = titleField(one);
    const rename = make("button", { class: "button", type: "submit" }, t("Rename"));
    const form = make("form", { class: "rename" }, title.element, rename);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      hands.answer({ title: title.value() });
    });
    parts.push(form);
  }
  const given = Object.keys(one.answers ?? {});
  if (given.length) {
    const back = make("button", { class: "button", type: "button" }, t("Answer again"));
    back.addEventListener("click", () => hands.answer({ answers: Object.fromEntries(given.map((name) => [name, null])) }));
    parts.push(back);
  }
  return make("footer", {}, ...parts, deletion(hands));
}

function deletion(hands) {
  const ask = make("button", { class: "button", type: "button" }, t("Delete"));
  const sure = make("button", { class: "button warn", type: "button" }, t("Delete it for good"));
  const keep = make("button", { class: "button", type: "button" }, t("Keep it"));
  const line = make("span", { class: "sure", role: "group", "aria-label": t("Delete it from this machine?"), hidden: true }, make("span", {}, t("Delete it from this machine?")), sure, keep);
  const open = (whether) => {
    line.hidden = !whether;
    ask.hidden = whether;
    (whether ? keep : ask).focus();
  };
  ask.addEventListener("click", () => open(true));
  keep.addEventListener("click", () => open(false));
  line.addEventListener("keydown", (event) => event.key === "Escape" && open(false));
  sure.addEventListener("click", () => hands.remove());
  return make("span", { class: "deletion" }, ask, line);
}
