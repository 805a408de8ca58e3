/** Keys of the lab page. A key does what its entry in the help panel says. */

const TYPING = new Set(["INPUT", "TEXTAREA", "SELECT"]);

/** @param {Record<string, (event: KeyboardEvent) => void>} actions by name, see `nameOfKey` */
export function keys(actions) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (TYPING.has(target.tagName) || target.isContentEditable || target.closest?.("dialog")) return;
    const onButton = target.tagName === "BUTTON" || target.tagName === "A" || target.tagName === "SUMMARY";
    const name = nameOfKey(event);
    if (onButton && (name === "Space" || name === "Enter")) return;
    const action = actions[name];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}

/** "Space", "ArrowLeft", "Shift+ArrowLeft", "+", ... */
export function nameOfKey(event) {
  if (event.key === " ") return "Space";
  if (event.key === "=") return "+";
  const named = event.key.length > 1 && event.shiftKey;
  return named ? `Shift+${event.key}` : event.key;
}
