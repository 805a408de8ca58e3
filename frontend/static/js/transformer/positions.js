/** Nothing yet. */

/** @param {import("./store.js").Store} store @param {HTMLElement} element */
export function mount(store, element) {
  element.hidden = true;
}
