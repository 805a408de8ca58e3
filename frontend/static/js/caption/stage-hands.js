/** How the stage is handled: pointer, touch and keys; what each does to the link and the region. */

import { View } from "./view.js";

const NEAR = 22; // css px from the ring that still take it
const STILL = 5; // css px that a press may move and still be a click

/** Let a stage be handled. @param {import("./stage.js").Stage} stage */
export function stageHands(stage) {
  const { canvas, link, region } = stage;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const clamped = ([x, y]) => [Math.max(0, Math.min(stage.frame.width - 0.01, x)), Math.max(0, Math.min(stage.frame.height - 0.01, y))];
  const onRing = ([x, y]) => {
    const { ring } = stage;
    if (ring < 0 || stage.view.step === View.ALL) return false;
    const [left, top] = stage.frame.middle(ring);
    return Math.hypot(x - left, y - top) < NEAR;
  };
  let held = null; // {ring: boolean, cell, from: [x, y], moved: boolean}

  canvas.addEventListener("pointerdown", (event) => {
    if (!stage.frame || event.button) return;
    const from = place(event);
    // A finger that strokes over the picture scrolls the page, unless it took the ring.
    held = { ring: onRing(from), cell: stage.frame.at(...clamped(from)), from, moved: false, step: stage.view.step };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stage.frame) return;
    const now = place(event);
    const cell = stage.frame.at(...clamped(now));
    canvas.style.cursor = held?.ring ? "grabbing" : onRing(now) ? "grab" : "";
    if (held) held.moved ||= Math.hypot(now[0] - held.from[0], now[1] - held.from[1]) > STILL;
    if (held?.moved && held.ring) stage.pulled = clamped(now);
    else if (held?.moved) region.set(held.cell, cell);
    link.point(held?.ring ? held.step : -1, cell);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!held) return;
    const cell = stage.frame.at(...clamped(place(event)));
    const { moved, ring, step } = held;
    held = stage.pulled = null;
    if (moved && ring) {
      link.choose(step, cell);
      stage.onForce(step, cell);
    } else if (!moved) {
      const again = region.area && region.from === cell && region.to === cell;
      if (again) region.clear();
      else region.set(cell);
      link.choose(link.pin.target, again ? -1 : cell);
    }
    link.point();
  });
  for (const type of ["pointercancel", "pointerleave"]) {
    canvas.addEventListener(type, () => {
      if (type === "pointercancel") held = stage.pulled = null;
      if (!held) link.point();
    });
  }
  canvas.addEventListener("touchmove", (event) => held?.ring && event.preventDefault(), { passive: false });
  canvas.addEventListener("dblclick", (event) => {
    const { step } = stage.view;
    if (step !== View.ALL) stage.onForce(step, stage.frame.at(...clamped(place(event))));
  });
  canvas.addEventListener("keydown", (event) => key(stage, event));
}

/** Arrows move the marked cell, with Shift they widen the part; Enter makes the word look there. */
function key(stage, event) {
  const { link, region, run, view } = stage;
  const { rows, columns } = run.grid;
  if (event.altKey || event.ctrlKey || event.metaKey || !rows) return;
  const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (by) {
    const start = region.area ? region.to : Math.max(0, stage.ring);
    const clamp = (value, most) => Math.max(0, Math.min(most, value));
    const cell = clamp(Math.floor(start / columns) + by[0], rows - 1) * columns + clamp((start % columns) + by[1], columns - 1);
    region.set(event.shiftKey && region.area ? region.from : cell, cell);
    link.choose(link.pin.target, cell);
  } else if (event.key === "Enter" && region.area && view.step !== View.ALL) stage.onForce(view.step, region.to);
  else if ((event.key === "Delete" || event.key === "Backspace") && view.step !== View.ALL) stage.onRelease(view.step);
  else if (event.key === "Escape" && region.area) region.clear();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
