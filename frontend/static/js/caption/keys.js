/** Keys of the captioner's page, beside those of all decoders. */

import { decoderKeys } from "../decoder/keys.js";
import { keys } from "../keyboard.js";

/** @param {any} lab */
export function captionKeys(lab) {
  const { link, region, run, steering, view } = lab;
  keys({
    ...decoderKeys(lab),
    Space: () => (run.busy ? steering.stop() : lab.begin()),
    l: () => view.step >= 0 && region.area && steering.look(view.step, region.to),
    g: () => lab.show({ raw: !view.raw }),
    o: () => document.getElementById("choose").click(),
    r: () => document.getElementById("dice")?.click(),
    Escape: () => (region.area ? region.clear() : link.choose()),
  });
}
