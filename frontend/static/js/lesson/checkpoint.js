/** The network of a figure: asked for, and named with a way to its lab. */

import { checkpoint } from "../api.js";
import { make, pageData } from "../words.js";

/** What the server says of a network. Throws where it cannot be used. @param {string} id */
export async function ready(id) {
  const about = await checkpoint(id);
  if (about.status !== "ready") throw new Error(about.reason || about.status);
  return about;
}

/** @param {{id: string, title?: string}} about */
export function labLink(about) {
  return make("a", { class: "quieter", href: `/${pageData.language}/lab/${about.id}` }, about.title || about.id);
}
