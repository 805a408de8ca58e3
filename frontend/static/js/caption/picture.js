/**
 * A picture as the encoder sees it: upright, its first frame, on white. The browser decodes it for
 * the page; the server gets the bytes as they are.
 */

import { ApiError } from "../api.js";
import { upright, withoutOrientation } from "./webp.js";

const LARGEST = 1280; // px of the longer side that the page keeps
const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"];
export const ACCEPT = TYPES.join();

/** @typedef {Picture} Picture */

export class Picture {
  /**
   * @param {object} what
   * @param {string} what.id  the name of an example, or of a scene; "" of a reader's own picture
   * @param {string} what.title @param {Blob} what.blob  the bytes as they are sent
   * @param {HTMLCanvasElement} what.canvas  upright, on white
   */
  constructor({ id, title, blob, canvas }) {
    Object.assign(this, { id, title, blob, canvas });
    this.key = ""; // that the server knows it by, once it has seen it
  }

  get width() {
    return this.canvas.width;
  }

  get height() {
    return this.canvas.height;
  }

  /** As part of a key: the same picture is the same object. */
  toJSON() {
    this.number ??= ++Picture.count;
    return this.number;
  }
}
Picture.count = 0;

/**
 * Decode a picture. Raises `ApiError` with the codes that the server has for the same.
 * @param {Blob} blob @param {{id?: string, title?: string, limit?: number}} about  `limit`: bytes
 */
export async function readPicture(blob, { id = "", title = "", limit = Infinity } = {}) {
  if (blob.size > limit) throw new ApiError({ code: "too_large", message: "", limit, size: blob.size }, 413);
  if (!TYPES.includes(blob.type)) throw new ApiError({ code: "unsupported_type", message: "", type: blob.type || title.split(".").pop() }, 415);
  const found = await withoutOrientation(blob);
  let bitmap;
  try {
    bitmap = await createImageBitmap(found.blob, { imageOrientation: "from-image" });
  } catch {
    throw new ApiError({ code: "bad_picture", message: "" }, 422);
  }
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = found.orientation > 4 ? [height, width] : [width, height];
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.setTransform(...upright(found.orientation, width, height));
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return new Picture({ id, title, blob, canvas });
}

/** The first picture that was dropped or pasted, or the first file where there is none; null: no file. */
export function pictureIn(data) {
  const files = [...(data?.files ?? [])];
  return files.find(({ type }) => type.startsWith("image/")) ?? files[0] ?? null;
}
