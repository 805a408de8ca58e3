/** A page of live figures alone: every view in one place, or the lab of a network that has one. */

import { Present } from "../present.js";
import { liveFigures } from "./figures.js";

const figures = liveFigures();
const chooser = document.getElementById("checkpoint");
chooser?.addEventListener("change", () => (location.href = chooser.value));
const button = document.getElementById("present");
if (button) {
  const present = new Present(button, ["0"], { onToggle: () => dispatchEvent(new Event("resize")) });
  addEventListener("keydown", (event) => {
    if (event.key !== "p" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    present.toggle();
  });
}

globalThis.lesson = { figures }; // for the console, and for tests
