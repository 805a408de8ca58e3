/** Fields of figures that are read once a reader rests. */

/**
 * Read a field when nobody has typed in it for a while.
 * @param {HTMLElement} field @param {number} rest  ms @param {() => void} read
 */
export function whenTyped(field, rest, read) {
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(read, rest);
  });
}
