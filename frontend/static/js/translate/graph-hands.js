/** How the graph is handled: pointer, touch and keys; what each does to the shared link. */

import { strongestOf } from "../decoder/arithmetic.js";

const PLACE = "[data-source], [data-target]";

/** The cell, step or word that an event is on. */
function placeOf(event) {
  const { source, target } = event.target.closest?.(PLACE)?.dataset ?? {};
  return { source: Number(source ?? -1), target: Number(target ?? -1), any: source !== undefined || target !== undefined };
}

/** Let a graph be handled. @param {import("./graph.js").Graph} graph */
export function handle(graph) {
  const { drawing, link } = graph;
  const point = (event) => {
    const { target, source } = placeOf(event);
    link.point(target, source);
  };
  drawing.addEventListener("pointermove", point);
  drawing.addEventListener("focusin", point);
  drawing.addEventListener("pointerleave", () => link.point());
  drawing.addEventListener("focusout", () => link.point());
  drawing.addEventListener("click", (event) => {
    const place = placeOf(event);
    if (place.any) take(graph, place, event.target.closest('[role="button"]'));
  });
  drawing.addEventListener("keydown", (event) => key(graph, event));
}

/** A click or Enter: on a written word to choose it, on a read word to look there. */
function take(graph, { target, source }, from) {
  const { link, translation } = graph;
  if (target >= 0) {
    if (source < 0 && graph.onGo) graph.onGo(target);
    else link.choose(target, source);
    return;
  }
  const step = translation.attends ? translation.target[link.pin.target] : undefined;
  if (!step) link.choose(-1, source);
  const { layout, scale } = graph;
  const about = {
    target: step ? link.pin.target : -1,
    source,
    word: graph.sourceLabels[source],
    written: step ? graph.targetLabels[link.pin.target] : "",
    weight: step?.attention?.[source] ?? null,
    attends: translation.attends,
    forced: step?.forced === source,
  };
  const place = { x: layout.source[source].middle * scale, y: (layout.rows.annotation - 26) * scale, room: layout.width * scale };
  graph.look.show(about, place, from);
}

/** Arrows move along a row and between the rows; Enter takes. */
function key(graph, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { source, target } = placeOf(event);
  const above = target >= 0;
  const k = above ? target : source;
  if (k < 0) return;
  const last = (above ? graph.layout.target : graph.layout.source).length - 1;
  const along = { ArrowLeft: k - 1, ArrowRight: k + 1, Home: 0, End: last }[event.key];
  if (along !== undefined) focus(graph, above, Math.max(0, Math.min(last, along)));
  else if (event.key === "ArrowUp" && !above) focus(graph, true, graph.current);
  else if (event.key === "ArrowDown" && above) {
    const { attention } = graph.translation.target[k];
    focus(graph, false, attention ? strongestOf(attention) : 0);
  } else if (event.key === "Enter" || event.key === " ") take(graph, { source, target }, event.target);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Each row is one stop of the Tab key. */
function focus(graph, above, k) {
  const row = [...graph.drawing.querySelectorAll(above ? ".sg-step" : ".sg-source")];
  row.forEach((node, place) => node.setAttribute("tabindex", place === k ? 0 : -1));
  row[k]?.focus();
}
