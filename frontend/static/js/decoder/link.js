/**
 * What is pointed at and what is chosen, shared by every view of one run: a target step, a
 * source position, or both (a cell of the alignment). -1: none. Event `change` after either moved.
 */

/** @typedef {{target: number, source: number}} Place */

const NOWHERE = Object.freeze({ target: -1, source: -1 });

export class Link extends EventTarget {
  constructor() {
    super();
    /** @type {Place} under the pointer, or focused */ this.hover = NOWHERE;
    /** @type {Place} chosen: it stays */ this.pin = NOWHERE;
  }

  /** The pointer is here; `point()` when it has left. */
  point(target = -1, source = -1) {
    this.move("hover", target, source);
  }

  /** This is chosen; `choose()` lets go. */
  choose(target = -1, source = -1) {
    this.move("pin", target, source);
  }

  /** What views should lift out now: what is pointed at, else what is chosen. @returns {Place} */
  get shown() {
    const { hover, pin } = this;
    return hover.target >= 0 || hover.source >= 0 ? hover : pin;
  }

  /** Let go of places that are no longer there: `targets` steps, `sources` positions. */
  limit(targets, sources) {
    for (const which of ["hover", "pin"]) {
      const { target, source } = this[which];
      this.move(which, target < targets ? target : -1, source < sources ? source : -1);
    }
  }

  move(which, target, source) {
    if (this[which].target === target && this[which].source === source) return;
    this[which] = Object.freeze({ target, source });
    this.dispatchEvent(new Event("change"));
  }
}
