/** The example photos of the project: their names, what they show, and their bytes. */

import { make, t } from "../words.js";

/** Their names, in the order of the page of captions. */
export const photos = t("the photos").split(" ");

/** The address of a photo: beside the modules. */
export function photoAddress(name) {
  return new URL(`../../photos/${name}.jpg`, import.meta.url).href;
}

/** What a photo shows, in words. */
export function photoTitle(name) {
  return t(`photo ${name}`);
}

/** A photo as it is sent to the server. @returns {Promise<Blob>} */
export async function photoBlob(name, signal) {
  const response = await fetch(photoAddress(name), { signal });
  return response.blob();
}

/**
 * A row of photos to choose from.
 * @param {string} chosen @param {(name: string) => void} onChoose
 */
export function photoRow(chosen, onChoose) {
  const buttons = photos.map((name) => {
    const title = photoTitle(name);
    const button = make("button", { class: "photo-choice", type: "button", title, "aria-label": title, "aria-pressed": String(name === chosen) });
    button.append(make("img", { src: photoAddress(name), alt: "", loading: "lazy" }));
    button.addEventListener("click", () => {
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      onChoose(name);
    });
    return button;
  });
  return make("div", { class: "photo-choices", role: "group", "aria-label": t("photo") }, ...buttons);
}
