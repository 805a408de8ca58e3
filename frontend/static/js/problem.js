/**
 * What went wrong, in place: what happened, what to do, and a way to try again, or to go on from
 * where it was cut off. Where the server has gone, it is asked whether it is back.
 */

import { make, mark, pageData, t } from "./words.js";

/** What happened, and what to do, in the reader's language. @param {import("./api.js").ApiError} error */
export function inWords(error) {
  if (error.code === "connection") return [t("The connection is lost."), t("What is on the page stays. Check that the server runs, then try again.")];
  if (error.status === 429) return [t("The server is full."), ""];
  if (error.code === "unknown_characters") {
    const found = (error.details.characters ?? []).map(({ character, position }) =>
      t("“{character}” at {position}", { character: mark(character), position }),
    );
    return [t("This network has never seen: {list}.", { list: found.join(", ") }), t("Its alphabet has no such characters. Take them out or write them otherwise.")];
  }
  const own = t(`error ${error.code}`);
  const hint = t(`hint ${error.code}`, error.details);
  return [own === `error ${error.code}` ? error.message : own, hint === `hint ${error.code}` ? error.hint : hint];
}

/** The same in one line. @param {import("./api.js").ApiError} error */
export function inOneLine(error) {
  return inWords(error).filter(Boolean).join(" ");
}

/** The way to the join code, in a tab of its own: what is on this page stays. */
function door() {
  const next = encodeURIComponent(location.pathname + location.search);
  return make("a", { class: "button", href: `/${pageData.language}/join?next=${next}`, target: "_blank", rel: "noopener" }, t("Give the join code"));
}

const ABSENT = new Set(["connection", "shutting_down"]); // the server is not there, or not for long
const ASKED = 2000; // ms between two looks whether it is back

export class Problem {
  /**
   * @param {object} options
   * @param {HTMLTextAreaElement} [options.prompt]  a text that may be at fault
   * @param {HTMLElement} [options.mirror]  lies under it and marks what is
   * @param {() => void} options.onRetry
   * @param {() => boolean} [options.goesOn]  whether that goes on from what was written
   */
  constructor(host, { prompt = null, mirror = null, onRetry, goesOn = () => false }) {
    Object.assign(this, { host, prompt, mirror, onRetry, goesOn });
    this.timer = 0;
    prompt?.addEventListener("scroll", () => (mirror.scrollTop = prompt.scrollTop));
  }

  clear() {
    clearInterval(this.timer);
    this.shown = null;
    this.host.hidden = true;
    this.mirror?.replaceChildren();
    this.prompt?.removeAttribute("aria-invalid");
  }

  /** @param {import("./api.js").ApiError|null} error */
  show(error) {
    this.clear();
    if (!error) return;
    const [title, hint] = inWords(error);
    this.line = make("p", {}, hint);
    this.shown = error;
    this.retry = make("button", { class: "button", type: "button" });
    this.name();
    this.retry.addEventListener("click", this.onRetry);
    this.host.replaceChildren(make("div", {}, make("strong", {}, title), this.line));
    // The same again would be refused again, unless the server was full, failed or was not there.
    if (!error.status || error.status === 429 || error.status >= 500) this.host.append(this.retry);
    if (error.code === "join_needed") this.host.append(door(), this.retry);
    this.host.hidden = false;
    if (error.code === "unknown_characters") this.markUnknown(error.details.characters ?? []);
    if (ABSENT.has(error.code)) this.lookOut(error);
    if (error.status === 429) this.wait(Math.max(1, error.retryAfter || 2));
  }

  /** Call the button what it does: more may have been written meanwhile. */
  name() {
    if (this.shown) this.retry.textContent = this.goesOn() ? t("Go on from here") : t("Try again");
  }

  /** Ask now and then whether the server is back, and say so. */
  lookOut(error) {
    this.timer = setInterval(async () => {
      const back = await fetch("/readyz", { cache: "no-store" }).then((answer) => answer.ok, () => false);
      if (!back || this.shown !== error) return;
      clearInterval(this.timer);
      this.line.textContent = t("The server is there again.");
    }, ASKED);
  }

  wait(seconds) {
    const until = Date.now() + 1000 * seconds;
    this.retry.disabled = true;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      this.line.textContent = left > 0 ? t("A place should be free in {n} s.", { n: left }) : t("A place may be free now.");
      if (left > 0) return;
      this.retry.disabled = false;
      clearInterval(this.timer);
    };
    this.timer = setInterval(tick, 500);
    tick();
  }

  /** The unknown characters, or tokens of several, underlined in the input. */
  markUnknown(characters) {
    const wrong = new Set(characters.flatMap(({ position, character }) => Array.from(character, (_, k) => position + k)));
    this.prompt.setAttribute("aria-invalid", "true");
    this.mirror.replaceChildren(
      ...Array.from(this.prompt.value).map((character, k) => (wrong.has(k) ? make("mark", {}, character) : character)),
    );
  }
}
