/** Keys of the translator's page, beside those of all decoders. */

import { decoderKeys } from "../decoder/keys.js";
import { keys } from "../keyboard.js";

/** @param {any} lab */
export function translatorKeys(lab) {
  const { desk, link, run, steering } = lab;
  const column = (by) => {
    const { target, source } = link.pin;
    const last = run.source.length - 1;
    if (target >= 0) link.choose(target, Math.max(0, Math.min(last, source + by)));
  };
  keys({
    ...decoderKeys(lab),
    Space: () => (run.busy ? steering.stop() : steering.begin()),
    "[": () => column(-1),
    "]": () => column(1),
    l: () => link.pin.target >= 0 && link.pin.source >= 0 && steering.look(link.pin.target, link.pin.source),
    Escape: () => link.choose(),
    "/": () => desk.field.focus(),
  });
}
