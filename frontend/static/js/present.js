/** For a projector: larger type and lines, one figure at a time. */

const root = document.documentElement;

export class Present {
  /**
   * @param {HTMLElement} button
   * @param {string[]} figures  in order; each is `.<name>-figure` in the style sheet
   * @param {{first?: string, onToggle?: (on: boolean) => void, onTurn?: () => void}} options
   */
  constructor(button, figures, { first = figures[0], onToggle = () => {}, onTurn = () => {} } = {}) {
    Object.assign(this, { button, figures, first, onToggle, onTurn });
    button.addEventListener("click", () => this.toggle());
  }

  get on() {
    return root.dataset.present !== undefined;
  }

  toggle() {
    const on = !this.on;
    if (on) root.dataset.present = "";
    else delete root.dataset.present;
    this.onToggle(on);
    const query = new URLSearchParams(location.search);
    if (on) query.set("present", "");
    else query.delete("present");
    history.replaceState(null, "", `${location.pathname}?${query}`);
    this.button.setAttribute("aria-pressed", String(on));
    if (!on) document.body.removeAttribute("data-figure");
    else this.turn(0);
  }

  /** The next figure, or the one before; without a projector the page scrolls. */
  turn(by) {
    if (!this.on) return scrollBy({ top: by * innerHeight * 0.8 });
    const { body } = document;
    const { figures } = this;
    const at = Math.max(0, figures.indexOf(body.dataset.figure ?? this.first));
    this.button.setAttribute("aria-pressed", "true");
    body.dataset.figure = figures[(at + by + figures.length) % figures.length];
    this.onTurn();
  }
}
