/** Bring a checkpoint of one's own: drop it, see it sent, read the report, answer, open it. */

import { inWords } from "../problem.js";
import { make, pageData, t } from "../words.js";
import { chosen, dropped, parcel } from "./folder.js";
import { report } from "./report.js";
import { answer, bring, diagnosis, imports, remove } from "./requests.js";
import { bytes } from "./retold.js";

const host = document.getElementById("bring");
const find = (name) => host.querySelector(`[data-part="${name}"]`);
const parts = Object.fromEntries(["zone", "file", "folder", "progress", "problem", "report", "waiting", "status"].map((name) => [name, find(name)]));
let sending = null; // the AbortController of the upload that is under way

const address = () => new URL(location.href).searchParams.get("import");

function setAddress(id, push = true) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("import", id);
  else url.searchParams.delete("import");
  if (url.href !== location.href) history[push ? "pushState" : "replaceState"](null, "", url);
}

/** What went wrong, with what the server said of it. @param {Error|null} error */
function fail(error) {
  parts.problem.hidden = !error;
  parts.problem.replaceChildren();
  if (!error) return;
  if (error.code === undefined) throw error; // a defect of this page
  const details = error.details ?? {};
  const shown = details.limit ? { ...details, limit: bytes(details.limit) } : details;
  const [title, hint] = inWords(Object.assign(error, { details: shown }));
  const said = error.status && error.message && error.message !== title ? make("p", { class: "detail", lang: pageData.language === "en" ? null : "en" }, make("bdi", {}, error.message)) : "";
  parts.problem.append(make("strong", {}, title), said, hint ? make("p", {}, hint) : "");
  parts.problem.scrollIntoView({ block: "nearest" });
}

function say(text) {
  parts.status.textContent = text;
}

/** Show an import, or none. @param {object|null} one */
function show(one, { focus = false } = {}) {
  if (!one) return parts.report.replaceChildren();
  const hands = {
    answer: (body) => change(one.id, body),
    remove: () => drop(one),
    fail,
  };
  parts.report.replaceChildren(report(one, hands));
  say(t(`verdict ${one.status}`, { n: one.diagnosis.questions?.length ?? 0 }));
  if (!focus) return;
  const title = document.getElementById("report-title");
  title.focus({ preventScroll: true });
  title.closest("article").scrollIntoView({ block: "start" });
}

async function change(id, body) {
  fail(null);
  try {
    show(await answer(id, body), { focus: true });
    await renew();
  } catch (error) {
    if (error.code === "bad_answer") throw error; // told beside its question
    fail(error);
  }
}

async function drop(one) {
  fail(null);
  try {
    await remove(one.id);
    setAddress(null);
    show(null);
    say(t("It is deleted."));
    parts.zone.querySelector("button")?.focus();
    await renew();
  } catch (error) {
    fail(error);
  }
}

/** The catalogue below and the list of what waits, as they are now; as they were where that fails. */
async function renew() {
  try {
    const [page, all] = await Promise.all([fetch(location.pathname).then((answer) => answer.text()), imports()]);
    const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("catalogue");
    if (fresh) document.getElementById("catalogue").replaceWith(document.adoptNode(fresh));
    waiting(all);
  } catch {
    // The report is there; the rest comes with the next look.
  }
}

/** Those that are not in the catalogue: who brought one and left finds it again. */
function waiting(all) {
  const rest = all.filter((one) => one.status === "asking" || one.status === "unusable");
  parts.waiting.hidden = !rest.length;
  parts.waiting.querySelector("ul").replaceChildren(
    ...rest.map((one) => make("li", {}, make("a", { href: `?import=${one.id}` }, make("bdi", {}, one.title ?? one.id)), " ", make("span", { class: "quiet" }, t(`waits ${one.status}`)))),
  );
}

/** Send what was dropped or chosen. @param {{folder: string, files: File[]}} found */
async function take(found) {
  if (sending) return;
  fail(null);
  sending = new AbortController();
  const [bar, line, stop] = ["progress", "p", "button"].map((tag) => parts.progress.querySelector(tag));
  const signal = sending.signal;
  parts.zone.hidden = true;
  parts.progress.hidden = false;
  line.textContent = t("looking at the file");
  bar.removeAttribute("value");
  stop.focus();
  try {
    const { blob, name } = await parcel(found);
    if (signal.aborted) return;
    if (blob.size > pageData.import_bytes) throw Object.assign(new Error(""), { code: "too_large", details: { limit: pageData.import_bytes } });
    const one = await bring(blob, name, signal, (sent, total) => {
      if (sent < total) {
        bar.value = sent / total;
        line.textContent = t("{sent} of {total}", { sent: bytes(sent), total: bytes(total) });
        return;
      }
      bar.removeAttribute("value");
      line.textContent = t("read, and looked at by the doctor");
      say(line.textContent);
    });
    setAddress(one.id);
    show(one, { focus: true });
    await renew();
  } catch (error) {
    if (error.name === "AbortError") say(t("Stopped. Nothing of it is kept."));
    else if (error.code === "already_here") await open(error.details.id, error);
    else fail(error);
  } finally {
    sending = null;
    parts.zone.hidden = false;
    parts.progress.hidden = true;
  }
}

/** Show the import of the address. @param {string|null} id @param {Error|null} why  to be told with it */
async function open(id, why = null) {
  fail(why);
  if (!id) return show(null);
  try {
    const one = await diagnosis(id);
    setAddress(id, Boolean(why));
    show(one, { focus: Boolean(why) });
  } catch (error) {
    show(null);
    fail(error);
  }
}

function install() {
  stopStrays();
  for (const [button, input] of [["choose", "file"], ["choose-folder", "folder"]]) {
    find(button).addEventListener("click", () => parts[input].click());
  }
  parts.file.addEventListener("change", () => {
    if (parts.file.files.length) take({ folder: "", files: [...parts.file.files] });
    parts.file.value = "";
  });
  parts.folder.addEventListener("change", () => {
    if (parts.folder.files.length) take(chosen(parts.folder.files));
    parts.folder.value = "";
  });
  parts.progress.querySelector("button").addEventListener("click", () => sending?.abort());
  let depth = 0; // of elements inside that were entered
  const over = (whether) => parts.zone.classList.toggle("over", whether);
  parts.zone.addEventListener("dragenter", () => over(++depth > 0));
  parts.zone.addEventListener("dragleave", () => over(--depth > 0));
  parts.zone.addEventListener("drop", async (event) => {
    depth = 0;
    over(false);
    const found = await dropped(event.dataTransfer);
    if (found.files.length || found.folder) take(found);
  });
}

/** A file that misses the zone does not replace the page. */
function stopStrays() {
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
}

if (pageData.importing) install();
addEventListener("popstate", () => open(address()));
host.addEventListener("click", (event) => {
  const link = event.target.closest(".waiting a");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  setAddress(new URL(link.href).searchParams.get("import"));
  open(address());
});
imports().then(waiting, () => {});
if (address()) open(address());
