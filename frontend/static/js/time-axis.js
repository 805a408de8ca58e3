/**
 * The one time axis of a page. Views ask it where column t lies; gestures on any view move it.
 * Events: `view` (columns moved, grew or changed width), `at` (current step), `hover`.
 */

export const NARROWEST = 2;
export const WIDEST = 72;
const SETTLE = 55; // ms, time constant of following: a new column is in place within 160 ms

export class TimeAxis extends EventTarget {
  constructor({ columnWidth = 18, calm = false } = {}) {
    super();
    Object.assign(this, { columnWidth, calm });
    this.length = 0; // columns there are
    this.offset = 0; // first column in view, may be fractional
    this.width = 600; // css px of the plot area
    this.at = -1;
    this.hover = -1;
    this.following = true;
    this.pinned = false; // the reader chose a step: it stays current
  }

  get visible() {
    return this.width / this.columnWidth;
  }

  get farthest() {
    return Math.max(0, this.length - this.visible + 1.5);
  }

  /** First and one past the last column in view. */
  get window() {
    return [Math.max(0, Math.floor(this.offset)), Math.min(this.length, Math.ceil(this.offset + this.visible))];
  }

  /** Left edge of column t in css px of the plot area. */
  x(t) {
    return (t - this.offset) * this.columnWidth;
  }

  columnAt(x) {
    const t = Math.floor(this.offset + x / this.columnWidth);
    return t >= 0 && t < this.length ? t : -1;
  }

  setLength(length) {
    if (length === this.length) return;
    const shrunk = length < this.length;
    this.length = length;
    if (shrunk && this.at >= length) this.pinned = false;
    if (!this.pinned || this.at < 0) this.setAt(length - 1);
    if (!this.following) this.offset = Math.min(this.offset, this.farthest);
    this.tell("view");
  }

  /** Move toward the newest column; true while there is way to go. */
  settle(elapsed) {
    if (!this.following) return false;
    const way = this.farthest - this.offset;
    if (way === 0) return false;
    const share = this.calm ? 1 : 1 - Math.exp(-elapsed / SETTLE);
    this.offset = Math.abs(way) * this.columnWidth < 0.5 ? this.farthest : this.offset + way * share;
    this.tell("view");
    return this.offset !== this.farthest;
  }

  pan(columns) {
    const to = Math.max(0, Math.min(this.farthest, this.offset + columns));
    this.following = to >= this.farthest - 0.5;
    if (to === this.offset) return;
    this.offset = to;
    this.tell("view");
  }

  /** Another column width; the column at `x` stays where it is. */
  zoom(width, x = this.width / 2) {
    width = Math.max(NARROWEST, Math.min(WIDEST, width));
    const anchor = this.offset + x / this.columnWidth;
    this.columnWidth = width;
    this.offset = this.following ? this.farthest : Math.max(0, Math.min(this.farthest, anchor - x / width));
    this.tell("view");
  }

  resize(width) {
    if (width === this.width || width <= 0) return;
    this.width = width;
    this.offset = this.following ? this.farthest : Math.min(this.offset, this.farthest);
    this.tell("view");
  }

  /** Make t the current step because the reader said so. */
  go(t, reveal = true) {
    if (!this.length) return;
    t = Math.max(0, Math.min(this.length - 1, t));
    this.pinned = true;
    if (reveal) {
      const left = t - this.offset;
      if (left < 1) this.pan(left - 2);
      else if (left > this.visible - 2) this.pan(left - this.visible + 3);
      else if (t < this.length - 1) this.following = false;
    }
    this.setAt(t);
  }

  follow() {
    this.following = true;
    this.pinned = false;
    this.setAt(this.length - 1);
    this.tell("view");
  }

  setAt(t) {
    if (t === this.at) return;
    this.at = t;
    this.tell("at");
  }

  setHover(t) {
    if (t === this.hover) return;
    this.hover = t;
    this.tell("hover");
  }

  tell(type) {
    this.dispatchEvent(new Event(type));
  }
}

/**
 * Give an element the axis' gestures: hover, wheel, drag to pan, pinch to zoom, click.
 * @param {HTMLElement} element whose left edge is the left edge of the plot area
 * @param {TimeAxis} axis
 * @param {(t: number, event: PointerEvent) => void} click
 */
export function gestures(element, axis, click) {
  const place = (event) => event.clientX - element.getBoundingClientRect().left;
  const fingers = new Map();
  let pressed = null;
  let spread = 0;
  element.style.touchAction = "pan-y";
  element.addEventListener("pointermove", (event) => {
    axis.setHover(axis.columnAt(place(event)));
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) {
      const [one, two] = [...fingers.values()];
      const now = Math.max(8, Math.abs(one - two));
      axis.zoom((axis.columnWidth * now) / spread, (one + two) / 2 - element.getBoundingClientRect().left);
      spread = now;
      pressed.moved = true;
    } else if (pressed) {
      if (Math.abs(event.clientX - pressed.start) > 4) pressed.moved = true;
      if (pressed.moved) axis.pan((pressed.last - event.clientX) / axis.columnWidth);
      pressed.last = event.clientX;
    }
  });
  element.addEventListener("pointerleave", () => axis.setHover(-1));
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, event.clientX);
    element.setPointerCapture(event.pointerId);
    if (fingers.size === 1) pressed = { start: event.clientX, last: event.clientX, moved: false };
    else spread = Math.max(8, Math.abs([...fingers.values()].reduce((a, b) => a - b)));
  });
  const release = (event) => {
    fingers.delete(event.pointerId);
    if (fingers.size) return;
    const t = axis.columnAt(place(event));
    if (event.type === "pointerup" && pressed && !pressed.moved && t >= 0) click(t, event);
    pressed = null;
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) axis.zoom(axis.columnWidth * Math.exp(-event.deltaY / 120), place(event));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        axis.pan((event.deltaX || event.deltaY) / axis.columnWidth);
      } else return; // a plain wheel scrolls the page
      event.preventDefault();
    },
    { passive: false },
  );
}
