/** What was dropped or chosen, as one file to send: a file as it is, a folder packed as a .zip. */

const WEIGHTS = /\.(pt|pth|ckpt|bin|safetensors|npz)$/i;
const KEPT = /^(config\.json|model\.safetensors|vocabulary\.json|README\.md|vocab\.json|merges\.txt|(\w+\.)?tokenizer\.json|tokenizer_config\.json)$/;

/** Nothing that can be sent: `code` says why, `details` name what was found. */
export class Unsuitable extends Error {
  constructor(code, details = {}) {
    super(code);
    Object.assign(this, { code, details });
  }
}

/**
 * The files of a drop, of folders those right inside them.
 * @param {DataTransfer} transfer @returns {Promise<{folder: string, files: File[]}>}
 */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // before any await
  const files = [...transfer.files];
  const folder = entries.length === 1 && entries[0].isDirectory ? entries[0] : null;
  if (!folder) return { folder: "", files: files.filter((_, k) => !entries[k]?.isDirectory) };
  const inside = (await listed(folder.createReader())).filter((entry) => entry.isFile);
  return { folder: folder.name, files: await Promise.all(inside.map(asFile)) };
}

async function listed(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at most
    if (!some.length) return all;
    all.push(...some);
  }
}

function asFile(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** The files of a chosen folder. @param {FileList} list */
export function chosen(list) {
  const files = [...list].filter((file) => (file.webkitRelativePath.match(/\//g) ?? []).length <= 1);
  return { folder: files[0]?.webkitRelativePath.split("/")[0] ?? "", files };
}

/**
 * What to send, under which name.
 * @param {{folder: string, files: File[]}} found @returns {Promise<{blob: Blob, name: string}>}
 */
export async function parcel({ folder, files }) {
  const names = files.map((file) => file.name);
  if (names.includes("config.json") && names.includes("model.safetensors")) {
    const kept = files.filter((file) => KEPT.test(file.name));
    return { blob: await zip(kept), name: `${folder || "checkpoint"}.zip` };
  }
  if (files.length === 1 && !folder) return { blob: files[0], name: files[0].name };
  const weights = files.filter((file) => WEIGHTS.test(file.name));
  if (weights.length === 1) return { blob: weights[0], name: weights[0].name };
  if (weights.length > 1) throw new Unsuitable("many_files", { names: weights.map((file) => file.name).slice(0, 6).join(", ") });
  throw new Unsuitable("no_weights", { names: names.slice(0, 6).join(", ") });
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

async function crc32(file) {
  let crc = 0xffffffff;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return (crc ^ 0xffffffff) >>> 0;
    for (const byte of value) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  }
}

/** Files side by side in a .zip, stored as they are. @param {File[]} files @returns {Promise<Blob>} */
export async function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.name);
    const common = [20, 0x800, 0, 0, 0x21]; // version, names in UTF-8, stored, a date that says nothing
    const sizes = [await crc32(file), file.size, file.size];
    const local = record(0x04034b50, common, sizes, [name.length, 0]);
    directory.push(record(0x02014b50, [20, ...common], sizes, [name.length, 0, 0, 0, 0], [0, offset]), name);
    parts.push(local, name, file);
    offset += local.byteLength + name.length + file.size;
  }
  const length = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const n = files.length;
  return new Blob([...parts, ...directory, record(0x06054b50, [0, 0, n, n], [length, offset], [0])]);
}

/** A record of a .zip: its mark, then numbers of two bytes and of four, in turn. */
function record(mark, ...groups) {
  const bytes = [];
  const put = (value, size) => {
    for (let k = 0; k < size; k++) bytes.push(Math.floor(value / 256 ** k) % 256);
  };
  put(mark, 4);
  groups.forEach((group, k) => group.forEach((value) => put(value, k % 2 ? 4 : 2)));
  return Uint8Array.from(bytes);
}
