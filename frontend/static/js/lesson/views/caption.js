/**
 * A photo put into words, and where each word looked: the lab's photo in the light of attention. Choose
 * a word to see its light; take the ring and put it elsewhere to make the word look there.
 *
 * Options: checkpoint, or checkpoints: several side by side; photo: the name of an example; word: the
 * number of the one that is chosen, from 0; without it, that which looks most sharply; arithmetic: true
 * for one word and one cell in numbers.
 * Values for exercises, of the first network: words; probability, gate and weight (the largest) of the
 * chosen word; spread: over how many cells its attention lies; forced: how many words were made to look
 * elsewhere; gain: how much likelier the chosen word is where it was made to look.
 */

import { checkpoint } from "../../api.js";
import { make } from "../../words.js";
import { CaptionView } from "../caption-view.js";
import { photoRow, photos } from "../photos.js";

export async function mount(stage, options, figure) {
  const abouts = await Promise.all((options.checkpoints ?? [options.checkpoint]).map((id) => checkpoint(id)));
  for (const about of abouts) if (about.status !== "ready") throw new Error(about.reason || about.status);
  const wanted = { photo: photos[0], word: -1, ...options };
  let views = [];
  const row = photoRow(wanted.photo, (photo) => {
    figure.keep({ photo, word: -1 });
    for (const view of views) view.change(photo);
  });
  if (abouts.length === 1) {
    views = [new CaptionView(stage, wanted, figure, abouts[0], row)];
  } else {
    const places = abouts.map(() => make("div", { class: "caption-one" }));
    stage.replaceChildren(make("div", { class: "caption-head" }, row), make("div", { class: "caption-several" }, ...places));
    views = abouts.map((about, k) => new CaptionView(places[k], wanted, figure, about));
  }
  await Promise.all(views.map((view) => view.take(wanted.photo)));
  return views[0];
}
