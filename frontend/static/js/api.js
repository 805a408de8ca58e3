/** The server's routes, its one error shape, and its event streams. */

import { titled } from "./words.js";

/** An answer that is not a success, or no answer at all (`code` "connection"). */
export class ApiError extends Error {
  constructor({ code, message, hint = "", ...details }, status = 0, retryAfter = 0) {
    super(message);
    Object.assign(this, { code, hint, details, status, retryAfter });
  }

  /** Whatever went wrong, as an error of the API. @param {Error} error */
  static of(error) {
    return error instanceof ApiError ? error : new ApiError({ code: "page", message: String(error) });
  }
}

/** All checkpoints. @returns {Promise<object[]>} */
export async function checkpoints() {
  return (await json("/api/checkpoints")).checkpoints.map(titled);
}

/** One checkpoint with its points; waits while it loads. */
export async function checkpoint(id) {
  return titled(await json(`/api/checkpoints/${encodeURIComponent(id)}`));
}

/** Read a text. @param {string} id @param {object} body as POST .../trace */
export function trace(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/trace`, post(body, signal));
}

/** A text with only its last characters given. @param {object} body as POST .../context */
export function context(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/context`, post(body, signal));
}

/** Parts of what a text makes inside. @param {object} body as POST .../slices */
export function slices(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/slices`, post(body, signal));
}

/** Follow a loss back in time. @param {string} id @param {object} body as POST .../gradients */
export function gradients(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/gradients`, post(body, signal));
}

/** Units ranked by what they know of a property. @param {object} body as POST .../units */
export function units(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/units`, post(body, signal));
}

/** Write. @param {object} body as POST .../generate @param {Receive} receive */
export function generate(id, body, signal, receive) {
  return stream(`/api/checkpoints/${encodeURIComponent(id)}/generate`, post(body, signal), receive);
}

/** Translate. @param {object} body as POST .../translate @param {Receive} receive */
export function translate(id, body, signal, receive) {
  return stream(`/api/checkpoints/${encodeURIComponent(id)}/translate`, post({ ...body, stream: true }, signal), receive);
}

/** What a whole text is. @param {object} body as POST .../classify */
export function classify(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/classify`, post(body, signal));
}

/** What each word of a text is. @param {object} body as POST .../tag */
export function tag(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/tag`, post(body, signal));
}

/**
 * Describe a picture.
 * @param {URLSearchParams} query  as POST .../caption @param {Blob|null} picture  null: of a key
 * @param {Receive} receive
 */
export function caption(id, query, picture, signal, receive) {
  const headers = picture ? { "Content-Type": picture.type || "application/octet-stream" } : {};
  return stream(`/api/checkpoints/${encodeURIComponent(id)}/caption?${query}&stream=true`, { method: "POST", headers, body: picture, signal }, receive);
}

/** Ask about a picture. @param {FormData} form  as POST .../answer @param {string} point  to be told */
export function answer(id, form, point, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/answer?points=${point}`, { method: "POST", body: form, signal });
}

/**
 * Read a line of text in a picture.
 * @param {URLSearchParams} query  as POST .../read @param {Blob|null} picture  null: of its `text`
 */
export function readLine(id, query, picture, signal) {
  const headers = picture ? { "Content-Type": picture.type || "application/octet-stream" } : {};
  return json(`/api/checkpoints/${encodeURIComponent(id)}/read?${query}`, { method: "POST", headers, body: picture, signal });
}

/** Forecast a series. @param {object} body as POST .../forecast */
export function forecast(id, body, signal) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/forecast`, post(body, signal));
}

/** What a drawn scene holds, and questions about it. @param {number} seed */
export function scene(seed) {
  return json(`/api/scenes/${seed}`);
}

/** A recurrent layer of torch that was run. @param {Record<string, string|number|boolean>} sizes */
export function shapes(sizes) {
  return json(`/api/shapes?${new URLSearchParams(sizes)}`);
}

/** Times of a layer of each kind, measured now. @param {number} width */
export function timings(width) {
  return json(`/api/timings?width=${width}`);
}

/** The trainings that can be watched, each with its parameters. */
export async function recipes() {
  return (await json("/api/training")).recipes;
}

/** Train. @param {string} recipe @param {object} parameters @param {Receive} receive */
export function train(recipe, parameters, signal, receive) {
  return stream(`/api/training/${encodeURIComponent(recipe)}`, post({ parameters }, signal), receive);
}

/** Whether an answer to an exercise is right. @param {{answer: number, language: string}} body */
export function check(slug, exercise, body) {
  return json(`/api/lessons/${slug}/exercises/${exercise}`, post(body));
}

/** @typedef {(event: string, data: string) => void} Receive  an event, its data still as text */

/**
 * Events are handed on as they arrive: who draws decides when to parse them. Resolves when the
 * stream has ended.
 */
async function stream(path, options, receive) {
  const response = await ask(path, options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const split = eventSplitter(receive);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      split(value);
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw lost();
  }
}

/**
 * Cut server-sent events out of a text that arrives in pieces.
 * @param {(event: string, data: string) => void} receive
 */
export function eventSplitter(receive) {
  let rest = "";
  return (piece) => {
    rest += piece.includes("\r") ? piece.replaceAll("\r", "") : piece;
    let from = 0;
    for (;;) {
      const end = rest.indexOf("\n\n", from);
      if (end < 0) break;
      emit(rest.slice(from, end), receive);
      from = end + 2;
    }
    if (from) rest = rest.slice(from);
  };
}

function emit(block, receive) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
  }
  if (data.length) receive(event, data.join("\n"));
}

/** Options of a request that sends JSON. */
export function post(body, signal) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
}

/** What a route answers. Rejects with an `ApiError`. */
export async function json(path, options) {
  return (await ask(path, options)).json();
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw lost();
  }
  const notice = response.headers.get("X-Notice");
  if (notice) dispatchEvent(new CustomEvent("notice", { detail: notice }));
  if (response.ok) return response;
  const wait = Number(response.headers.get("Retry-After")) || 0;
  let body;
  try {
    body = (await response.json()).error;
  } catch {
    body = { code: "internal", message: response.statusText || String(response.status) };
  }
  throw new ApiError(body, response.status, wait);
}

function lost() {
  return new ApiError({ code: "connection", message: "" });
}
