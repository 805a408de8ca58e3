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

/** The keys of the lab. @param {any} lab */
export function labKeys(lab) {
  const { axis, controls } = lab;
  const rank = (n) => {
    const candidate = lab.store.columns[axis.at]?.top[n];
    if (candidate) lab.fork(axis.at, candidate.token);
  };
  keys({
    Space: () => controls.toggle(),
    ArrowLeft: () => lab.go(axis.at - 1),
    ArrowRight: () => lab.go(axis.at + 1),
    "Shift+ArrowLeft": () => lab.go(axis.at - 10),
    "Shift+ArrowRight": () => lab.go(axis.at + 10),
    Home: () => lab.go(0),
    End: () => axis.follow(),
    "+": () => axis.zoom(axis.columnWidth * 1.3),
    "-": () => axis.zoom(axis.columnWidth / 1.3),
    n: () => controls.step(),
    "[": () => lab.nextUnit(-1),
    "]": () => lab.nextUnit(1),
    "/": () => controls.prompt.focus(),
    p: () => controls.present.toggle(),
    "?": () => document.getElementById("help").showModal(),
    PageDown: () => controls.present.turn(1),
    PageUp: () => controls.present.turn(-1),
    ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [String(n), () => rank(n - 1)])),
  });
}

const BRACKETS = { BracketLeft: "[{", BracketRight: "]}" };

/** "Space", "ArrowLeft", "Shift+ArrowLeft", "+", ...; a Cyrillic letter is the Latin key in its place. */
export function nameOfKey(event) {
  if (event.key === " ") return "Space";
  if (/^[\u0400-\u04ff]$/.test(event.key)) {
    const { code, shiftKey } = event;
    if (BRACKETS[code]) return BRACKETS[code][Number(shiftKey)];
    if (/^Key[A-Z]$/.test(code)) return code[3].toLowerCase();
  }
  if (event.key === "=") return "+";
  const named = event.key.length > 1 && event.shiftKey;
  return named ? `Shift+${event.key}` : event.key;
}
