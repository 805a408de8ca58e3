/** Opening a lab: once its checkpoint is loaded, or with the reason why it cannot be used. */

import { checkpoint as fetchCheckpoint } from "./api.js";
import { make, pageData, t } from "./words.js";

/** Why a checkpoint cannot be used, and where to go. @param {Error} error */
function refuse(error) {
  document.body.classList.add("refused");
  const place = document.getElementById("problem");
  place.replaceChildren(
    make("div", {}, make("strong", {}, t("This checkpoint cannot be used.")), make("p", {}, error.message)),
    make("a", { class: "button", href: pageData.catalogue }, t("other checkpoints")),
  );
  place.hidden = false;
}

/** Wait for the page's checkpoint and build its lab. @param {new (about: object) => object} Lab */
export async function openLab(Lab) {
  let about = pageData.checkpoint;
  try {
    if (about.status !== "ready") about = await fetchCheckpoint(about.id);
    if (about.status !== "ready") throw new Error(about.reason || about.status);
  } catch (error) {
    refuse(error);
    return;
  }
  document.body.classList.add("ready");
  globalThis.lab = new Lab(about); // for the console, and for tests of the page
}
