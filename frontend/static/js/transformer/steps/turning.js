/**
 * Going from step to step. Where there is room the page is one scroll, and the step that is read
 * is the one at the top; on a telephone and on a projector one step is in focus at a time.
 */

import { t } from "../../words.js";

const NARROW = "(max-width: 760px)";
const get = (id) => document.getElementById(id);

export class Turning {
  /** @param {import("./walk.js").Walk} walk @param {HTMLElement[]} sections @param {() => void} onArrange */
  constructor(walk, sections, onArrange) {
    Object.assign(this, { walk, sections, onArrange });
    this.narrow = matchMedia(NARROW);
    this.links = [...get("turner").querySelectorAll("[data-step]")];
    this.pending = walk.state.step > 1; // the address names a step: go there once it is drawn
    this.narrow.addEventListener("change", () => this.arrange());
    for (const link of this.links) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.go(Number(link.dataset.step));
      });
    }
    get("before").addEventListener("click", () => this.turn(-1));
    get("after").addEventListener("click", () => this.turn(1));
    addEventListener("scroll", () => this.follow(), { passive: true });
    walk.addEventListener("step", () => this.show());
    this.arrange();
  }

  /** One step in focus at a time? */
  get single() {
    return this.narrow.matches || document.documentElement.dataset.present !== undefined;
  }

  arrange() {
    const was = document.body.classList.contains("single");
    document.body.classList.toggle("single", this.single);
    this.show();
    if (was === this.single) return;
    this.pending = !this.single;
    this.onArrange();
  }

  turn(by) {
    this.go(Math.max(1, Math.min(this.sections.length, this.walk.state.step + by)));
  }

  /** @param {number} step from 1 */
  go(step) {
    if (this.single) {
      this.walk.set({ step });
      scrollTo({ top: 0 });
      this.onArrange();
    } else {
      this.walk.set({ step });
      this.scroll(step, "smooth");
    }
    get("live").textContent = `${t("step {n}", { n: step })}: ${this.title(step)}`;
  }

  scroll(step, behavior) {
    this.going = step;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.going = 0), behavior === "smooth" ? 900 : 200);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.sections[step - 1].scrollIntoView({ behavior: calm ? "instant" : behavior, block: "start" });
  }

  /** All steps are drawn: the page is as high as it will be. */
  settle() {
    if (!this.pending) return;
    this.pending = false;
    if (!this.single) this.scroll(this.walk.state.step, "instant");
  }

  /** The reader scrolls: which step is at the top? */
  follow() {
    if (this.single || this.going || this.pending || !this.walk.layer) return;
    const line = innerHeight * 0.4;
    const end = scrollY + innerHeight >= document.documentElement.scrollHeight - 4;
    const at = end ? this.sections.length - 1 : this.sections.findLastIndex((section) => section.getBoundingClientRect().top < line);
    this.walk.set({ step: Math.max(1, at + 1) });
  }

  title(step) {
    return this.sections[step - 1].querySelector("h2").textContent;
  }

  show() {
    const { step } = this.walk.state;
    this.sections.forEach((section, k) => section.classList.toggle("current", k + 1 === step));
    for (const link of this.links) {
      if (Number(link.dataset.step) === step) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    get("turner-title").textContent = this.title(step);
    get("turner-place").textContent = `${step} / ${this.sections.length}`;
    get("before").disabled = step === 1;
    get("after").disabled = step === this.sections.length;
  }
}
