/** The live figures of a page: made when they come near, each with a button for its address. */

import { make, t } from "../words.js";
import { Figure, writeAddress } from "./figure.js";

const NEAR = "600px"; // a figure is made ready so far before it is seen

/** @returns {Map<string, Figure>} by their ids, in the order of the page */
export function liveFigures() {
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
  for (const figure of figures.values()) {
    figure.element.querySelector("figcaption").append(addressButton(figure));
    watcher.observe(figure.element);
  }
  return figures;
}

/** Puts the address of a figure, in the state it is in, on the clipboard. */
function addressButton(figure) {
  const title = t("address of this figure as it is now");
  const button = make("button", { class: "plain to-address", type: "button", title, "aria-label": title }, "#");
  button.addEventListener("click", async () => {
    writeAddress();
    history.replaceState(null, "", `${location.pathname}${location.search}#${figure.element.id}`);
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "✓";
      setTimeout(() => (button.textContent = "#"), 1200);
    } catch {
      // The address stands in the browser's own line.
    }
  });
  return button;
}
