/** What every page does: the theme button, links that keep the page's state, notices of the server. */

import { t } from "./words.js";

const root = document.documentElement;

document.getElementById("theme")?.addEventListener("click", () => {
  const theme = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // The choice then lasts as long as the page.
  }
});

const other = document.getElementById("other-language");
other?.addEventListener("click", () => {
  other.href = other.href.split(/[?#]/)[0] + location.search + placeOf();
});

/** The part of the page, of those that have the same name in every language, that is read now. */
function placeOf() {
  if (scrollY < innerHeight / 2) return "";
  const parts = [...document.querySelectorAll("[data-place]")].map((part) => [Math.abs(part.getBoundingClientRect().top), part.id]);
  const [nearest] = parts.sort(([a], [b]) => a - b);
  return nearest ? `#${nearest[1]}` : "";
}

// To another page about the same: it takes from the address what it knows.
for (const link of document.querySelectorAll("a[data-keep]")) {
  link.addEventListener("click", () => (link.search = location.search));
}

// What the server has to say beside an answer, in a line under the page's head.
addEventListener("notice", (event) => {
  const line = document.getElementById("notice");
  line.textContent = t(`notice ${event.detail}`);
  line.hidden = false;
});
