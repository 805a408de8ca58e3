/** Where the window lies in the whole text: a scroll bar of the time axis. */

import { make, t } from "./words.js";

export class Overview {
  constructor(host, axis) {
    Object.assign(this, { host, axis });
    this.thumb = make("div", { class: "thumb" });
    host.append(this.thumb);
    host.setAttribute("aria-label", t("part of the text in view"));
    const move = (event) => {
      const share = (event.clientX - host.getBoundingClientRect().left) / host.clientWidth;
      axis.pan(share * axis.length - axis.visible / 2 - axis.offset);
    };
    host.addEventListener("pointerdown", (event) => {
      host.setPointerCapture(event.pointerId);
      move(event);
    });
    host.addEventListener("pointermove", (event) => {
      if (host.hasPointerCapture(event.pointerId)) move(event);
    });
  }

  draw() {
    const { axis, host, thumb } = this;
    const all = axis.length <= axis.visible;
    host.classList.toggle("idle", all);
    if (all) return;
    const whole = axis.farthest + axis.visible;
    thumb.style.width = `${Math.max(1.5, (100 * axis.visible) / whole)}%`;
    thumb.style.left = `${(100 * axis.offset) / whole}%`;
  }
}
