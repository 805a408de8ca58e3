/** The list of lessons: what has been done of each. */

import { t } from "../words.js";
import { done } from "./progress.js";

const known = done();
for (const item of document.querySelectorAll("[data-slug]")) {
  const ids = item.dataset.exercises.split(" ").filter(Boolean);
  const count = ids.filter((id) => known[item.dataset.slug]?.includes(id)).length;
  if (count) item.querySelector(".done-count").textContent = `· ${t("{done} of {all} exercises done", { done: count, all: ids.length })}`;
  item.classList.toggle("done", ids.length > 0 && count === ids.length);
}
