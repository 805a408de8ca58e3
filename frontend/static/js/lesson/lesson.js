/** A lesson: its live figures, its exercises, what has been done, and a projector's view of it. */

import { Present } from "../present.js";
import { pageData } from "../words.js";
import { Exercise } from "./exercise.js";
import { liveFigures } from "./figures.js";
import { Progress } from "./progress.js";

const progress = new Progress(pageData.slug);
const figures = liveFigures();
const exercises = [...document.querySelectorAll(".exercise")].map(
  (element) => new Exercise(element, { figures, progress, slug: pageData.slug, language: pageData.language }),
);
progress.show(exercises.length, document.getElementById("progress"));

/** Parts of the lesson that a projector shows one at a time: figures, formulas, code, exercises. */
const parts = [...document.querySelectorAll(".article > .live, .article > .exercise, .article > .math, .article > .code")];
parts.forEach((part, number) => part.classList.add(`part-${number}`));
const button = document.getElementById("present");
const present = new Present(button, parts.map((_, number) => String(number)), {
  onTurn: () => {
    const shown = Number(document.body.dataset.figure ?? 0);
    parts.forEach((part, number) => part.classList.toggle("on-stage", number === shown));
    figures.get(parts[shown]?.id)?.open();
  },
  onToggle: () => dispatchEvent(new Event("resize")),
});
if (document.documentElement.dataset.present !== undefined && parts.length) present.turn(0);

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "p") present.toggle();
  else if (event.key === "PageDown" && present.on) present.turn(1);
  else if (event.key === "PageUp" && present.on) present.turn(-1);
  else return;
  event.preventDefault();
});

globalThis.lesson = { figures, exercises, progress, present }; // for the console, and for tests
