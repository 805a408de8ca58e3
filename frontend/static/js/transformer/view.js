/**
 * What the views of a transformer's lab share: they ask and draw only while they are in sight, and
 * draw once a frame whatever has happened in it.
 */

const MARGIN = "240px"; // before it comes into sight

export class View {
  /** @param {import("./store.js").Store} store @param {HTMLElement} host */
  constructor(store, host) {
    Object.assign(this, { store, host, seen: false, stale: true, width: 0 });
    new IntersectionObserver((entries) => this.appear(entries.at(-1).isIntersecting), { rootMargin: MARGIN }).observe(host);
    new ResizeObserver(() => {
      if (Math.abs(host.clientWidth - this.width) < 1) return;
      this.width = host.clientWidth;
      this.resize();
    }).observe(host);
    store.addEventListener("restyle", () => this.restyle());
    document.fonts?.ready.then(() => this.wake());
  }

  appear(seen) {
    if (seen === this.seen) return;
    this.seen = seen;
    if (seen && this.stale) this.refresh();
    if (seen) this.wake();
  }

  /** What is shown is of another text, layer or edit: ask anew, now or once it is in sight. */
  refresh() {
    this.stale = !this.seen;
    if (!this.stale) this.load();
  }

  /** Draw in the next frame. */
  wake() {
    if (this.frame || !this.seen) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      if (this.draw(now) === true) this.wake();
    });
  }

  resize() {
    this.wake();
  }

  restyle() {
    this.wake();
  }

  /** Ask for what is to be shown. */
  load() {}

  /** Draw; true while something still moves. */
  draw() {}
}
