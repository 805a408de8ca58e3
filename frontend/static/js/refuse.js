/** A checkpoint that cannot be used: why, and where to go. */

import { make, pageData, t } from "./words.js";

/** @param {Error} error */
export function refuse(error) {
  document.body.classList.add("refused");
  const place = document.getElementById("problem");
  place.replaceChildren(
    make("div", {}, make("strong", {}, t("This checkpoint cannot be used.")), make("p", {}, error.message)),
    make("a", { class: "button", href: pageData.catalogue }, t("other checkpoints")),
  );
  place.hidden = false;
}
