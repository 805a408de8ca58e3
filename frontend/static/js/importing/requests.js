/** The routes of imports. An upload tells how much of it has left, and can be stopped. */

import { ApiError, json, post } from "../api.js";

/** One import with its diagnosis. */
export function diagnosis(id) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/diagnosis`);
}

/** Answer. @param {{answers?: object, title?: string}} body */
export function answer(id, body) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}/answers`, post(body));
}

/** Delete an import. */
export function remove(id) {
  return json(`/api/checkpoints/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** What was brought before. */
export async function imports() {
  return (await json("/api/imports")).imports;
}

/**
 * Send a file.
 * @param {Blob} blob @param {string} name @param {AbortSignal} signal
 * @param {(sent: number, total: number) => void} onProgress  bytes
 */
export function bring(blob, name, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell what has been sent
    const lost = () => reject(new ApiError({ code: "connection", message: "" }));
    request.open("POST", `/api/checkpoints?name=${encodeURIComponent(name.toWellFormed?.() ?? name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded, blob.size);
    request.upload.onload = () => onProgress(blob.size, blob.size);
    request.onerror = lost;
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onload = () => {
      const { status, response } = request;
      if (status >= 200 && status < 300 && response) return resolve(response);
      const error = response?.error ?? { code: "internal", message: request.statusText };
      reject(new ApiError(error, status, Number(request.getResponseHeader("Retry-After")) || 0));
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(blob);
  });
}
