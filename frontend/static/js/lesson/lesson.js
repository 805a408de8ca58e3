/** A lesson: its live figures, its exercises, what has been done, and a projector's view of it. */

import { Present } from "../present.js";
import { make, pageData, t } from "../words.js";
import { Exercise } from "./exercise.js";
import { Figure } from "./figure.js";
import { Progress } from "./progress.js";

const NEAR = "600px"; // a figure is made ready so far before it is seen

const progress = new Progress(pageData.slug);
const figures = new Map([...document.querySelectorAll("figure.live")].map((element) => [element.id, new Figure(element)]));

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      figures.get(target.id).open();
    }
  },
  { rootMargin: NEAR },
);
for (const { element } of figures.values()) watcher.observe(element);

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

/** A button that puts the address of a figure, in the state it is in, on the clipboard. */
for (const figure of figures.values()) {
  const link = make("button", { class: "plain to-address", type: "button", title: t("address of this figure as it is now") }, "#");
  link.setAttribute("aria-label", link.title);
  link.addEventListener("click", async () => {
    history.replaceState(null, "", `${location.pathname}${location.search}#${figure.element.id}`);
    try {
      await navigator.clipboard.writeText(location.href);
      link.textContent = "✓";
      setTimeout(() => (link.textContent = "#"), 1200);
    } catch {
      // The address stands in the browser's own line.
    }
  });
  figure.element.querySelector("figcaption").append(link);
}

globalThis.lesson = { figures, exercises, progress, present }; // for the console, and for tests
