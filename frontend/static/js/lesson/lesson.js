/** A lesson: its live figures, its exercises, what has been done, and a projector's view of it. */

import { Present } from "../present.js";
import { make, pageData, t } from "../words.js";
import { Exercise } from "./exercise.js";
import { liveFigures } from "./figures.js";
import { Progress } from "./progress.js";

const progress = new Progress(pageData.slug);
const figures = liveFigures();
const exercises = [...document.querySelectorAll(".exercise")].map(
  (element) => new Exercise(element, { figures, progress, slug: pageData.slug, language: pageData.language }),
);
progress.show(exercises.length, document.getElementById("progress"));

/** Keys that turn a projector's page; arrows only where no figure has the focus. */
const TURNS = { PageDown: 1, PageUp: -1, ArrowRight: 1, ArrowLeft: -1 };

/** Parts of the lesson that a projector shows one at a time: figures, formulas, code, exercises. */
const parts = [...document.querySelectorAll(".article > .live, .article > .exercise, .article > .math, .article > .code")];
parts.forEach((part, number) => part.classList.add(`part-${number}`));
const button = document.getElementById("present");
const told = make("output", { class: "num" });
const turner = make(
  "div", { class: "turner", role: "group", "aria-label": t("parts of the lesson") },
  turn("←", -1, t("the part before")), told, turn("→", 1, t("the next part")),
);
document.querySelector(".article").after(turner);

function turn(sign, by, name) {
  const one = make("button", { class: "button", type: "button", title: name, "aria-label": name }, sign);
  one.addEventListener("click", () => present.turn(by));
  return one;
}

const present = new Present(button, parts.map((_, number) => String(number)), {
  onTurn: () => {
    const shown = Number(document.body.dataset.figure ?? 0);
    parts.forEach((part, number) => part.classList.toggle("on-stage", number === shown));
    figures.get(parts[shown]?.id)?.open();
    told.textContent = `${shown + 1} / ${parts.length}`;
    scrollTo(0, 0);
  },
  onToggle: () => dispatchEvent(new Event("resize")),
});
if (document.documentElement.dataset.present !== undefined && parts.length) present.turn(0);

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "p") present.toggle();
  else if (present.on && TURNS[event.key] && (event.key.startsWith("Page") || event.target === document.body)) present.turn(TURNS[event.key]);
  else return;
  event.preventDefault();
});

/** Code wider than its box is scrolled with the keyboard too. */
function reachable() {
  for (const code of document.querySelectorAll(".article .output, .article .code pre, .article .table")) {
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
    else code.removeAttribute("tabindex");
  }
}
addEventListener("resize", reachable);
reachable();

globalThis.lesson = { figures, exercises, progress, present }; // for the console, and for tests
