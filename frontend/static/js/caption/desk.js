/**
 * Where a reader gives a picture: one of the examples, a file, the camera, a drop or a paste; and
 * how it is searched for words. What was there stays until the new picture has been decoded.
 */

import { ApiError } from "../api.js";
import { Desk } from "../decoder/desk.js";
import { make, pageData, t } from "../words.js";
import { ACCEPT, pictureIn, readPicture } from "./picture.js";

const get = (id) => document.getElementById(id);

export class PictureDesk extends Desk {
  /**
   * @param {object} options
   * @param {{name: string, src: string, title: string, credit: string}[]} options.photos
   * @param {() => void} options.onPicture  another picture is here
   * @param {() => void} options.onRun @param {() => void} options.onStop
   * @param {(which: string) => void} options.onOption @param {(error: ApiError) => void} options.onProblem
   */
  constructor({ photos, onPicture, onRun, onStop, onOption, onProblem }) {
    super({ begin: "describe", most: 30, onRun, onStop, onOption });
    Object.assign(this, { photos, onPicture, onProblem });
    /** @type {import("./picture.js").Picture|null} */ this.subject = null;
    this.tiles = photos.map((photo) => this.tile(photo));
    this.own = make("button", { type: "button", class: "photo own", "aria-pressed": "false", hidden: true });
    this.own.addEventListener("click", () => this.mine && this.take(this.mine));
    get("photos").replaceChildren(...this.tiles, this.own);
    for (const [button, field] of [["choose", "file"], ["camera", "shot"]]) {
      const input = get(field);
      input.accept = field === "file" ? `${ACCEPT},image/*` : "image/*";
      get(button).addEventListener("click", () => input.click());
      input.addEventListener("change", () => {
        if (input.files[0]) this.give(input.files[0]);
        input.value = ""; // the same file may be chosen again
      });
    }
    get("dice")?.addEventListener("click", () => {
      get("seed").value = String(Math.floor(Math.random() * 10_000));
      onOption("seed");
    });
    get("likeliest")?.addEventListener("click", () => {
      get("seed").value = "";
      onOption("seed");
    });
    this.listen();
  }

  /** Drops and pastes anywhere on the page. */
  listen() {
    const veil = get("drop-veil");
    let inside = 0; // elements that the drag is over: it enters one before it leaves the other
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      inside++;
      veil.hidden = false;
    });
    addEventListener("dragleave", (event) => {
      if (carries(event) && --inside <= 0) veil.hidden = true;
    });
    addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      inside = 0;
      veil.hidden = true;
      const file = pictureIn(event.dataTransfer);
      if (file) this.give(file);
    });
    addEventListener("paste", (event) => {
      const file = pictureIn(event.clipboardData);
      if (!file) return;
      event.preventDefault();
      this.give(file);
    });
  }

  tile({ name, src, title, credit }) {
    const image = make("img", { src, alt: "", loading: "lazy", width: "72", height: "54" });
    const button = make("button", { type: "button", class: "photo", "data-photo": name, "aria-pressed": "false", "aria-label": title, title: `${title} · ${credit}` }, image);
    button.addEventListener("click", () => this.example(name));
    return button;
  }

  /** Take an example by its name. @returns {Promise<boolean>} whether there is such a one */
  async example(name) {
    const photo = this.photos.find((one) => one.name === name);
    if (!photo) return false;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      photo.picture ??= await this.fetched(photo);
      if (turn === this.turn) this.take(photo.picture);
    } catch (error) {
      if (turn === this.turn) this.onProblem(error);
    }
    return true;
  }

  async fetched({ name, src, title }) {
    let response;
    try {
      response = await fetch(src);
    } catch {
      throw new ApiError({ code: "connection", message: "" });
    }
    if (!response.ok) throw new ApiError({ code: "internal", message: response.statusText }, response.status);
    return readPicture(await response.blob(), { id: name, title });
  }

  /** A reader's own picture. @param {File} file */
  async give(file) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const picture = await readPicture(file, { title: file.name || t("your photo"), limit: pageData.picture_bytes });
      if (turn !== this.turn) return;
      this.mine = picture;
      this.show(picture);
      this.take(picture);
    } catch (error) {
      if (turn === this.turn) this.onProblem(error);
    }
  }

  /** The reader's picture as a tile beside the examples. */
  show({ canvas, title }) {
    const small = make("canvas", { "aria-hidden": "true" });
    Object.assign(small, { width: 144, height: 108 });
    const scale = Math.max(144 / canvas.width, 108 / canvas.height);
    const [width, height] = [canvas.width * scale, canvas.height * scale];
    small.getContext("2d").drawImage(canvas, (144 - width) / 2, (108 - height) / 2, width, height);
    this.own.replaceChildren(small);
    const name = t("your photo {name}", { name: title });
    this.own.setAttribute("aria-label", name);
    this.own.title = name;
    this.own.hidden = false;
  }

  take(picture) {
    this.subject = picture;
    for (const tile of [...this.tiles, this.own]) {
      const mine = tile === this.own ? picture === this.mine : tile.dataset.photo === picture.id;
      tile.setAttribute("aria-pressed", String(mine));
    }
    const photo = this.photos.find(({ name }) => name === picture.id);
    get("credit").textContent = photo ? `${photo.title}. ${photo.credit}` : t("not in the address");
    this.onPicture();
  }

  /** The request for a picture, with the options. */
  wish(picture) {
    return { picture, ...this.options };
  }

  missing() {
    return this.subject ? null : new ApiError({ code: "no_picture", message: "" }, 422);
  }
}
