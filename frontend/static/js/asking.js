/**
 * What asks the server while people look on: it is busy or at rest, and has a problem or none.
 *
 * Events: `state` (`busy` changed), `problem` (`error` is an ApiError, or null).
 */

import { ApiError } from "./api.js";

export class Asking extends EventTarget {
  constructor() {
    super();
    this.busy = false;
    /** @type {ApiError|null} */ this.error = null;
  }

  /** A request came to nothing; one that was called off is no failure. @param {Error} error @param {AbortSignal} signal */
  fail(error, signal) {
    if (error.name === "AbortError" || signal.aborted) return;
    this.become(false);
    this.problem(ApiError.of(error));
  }

  /** @param {ApiError|null} error */
  problem(error) {
    if (error === this.error) return;
    this.error = error;
    this.tell("problem");
  }

  /** @param {boolean} busy */
  become(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.tell("state");
  }

  /** @param {string} type of an event */
  tell(type) {
    this.dispatchEvent(new Event(type));
  }
}
