/**
 * How a camera was held, as a WebP says it: browsers do not turn such pictures, the network's eye
 * does. Other formats are turned by the browser.
 */

const ORIENTATION = 0x0112; // the EXIF tag

/** Where the data of a chunk of a RIFF file begins, and how long it is; null: there is none. */
function chunk(view, name) {
  const text = (at) => String.fromCharCode(...[0, 1, 2, 3].map((k) => view.getUint8(at + k)));
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (text(at) === name) return { at: at + 8, size: Math.min(size, view.byteLength - at - 8) };
    at += 8 + size + (size % 2);
  }
  return null;
}

/** The orientation in the first directory of a TIFF; 1 where it says none. */
function orientationIn(view, start, size) {
  const head = view.getUint32(start) === 0x45786966 ? 6 : 0; // "Exif", two zeros
  const from = start + head;
  const end = start + size;
  const little = view.getUint16(from) === 0x4949;
  const directory = from + view.getUint32(from + 4, little);
  const count = directory + 2 <= end ? view.getUint16(directory, little) : 0;
  for (let k = 0, at = directory + 2; k < count && at + 12 <= end; k++, at += 12) {
    if (view.getUint16(at, little) === ORIENTATION) return view.getUint16(at + 8, little);
  }
  return 1;
}

/**
 * @param {Blob} blob @returns {Promise<{blob: Blob, orientation: number}>} a WebP without its EXIF,
 *   and what that said; anything else as it is
 */
export async function withoutOrientation(blob) {
  if (blob.type !== "image/webp") return { blob, orientation: 1 };
  const buffer = await blob.arrayBuffer();
  const view = new DataView(buffer);
  try {
    const found = chunk(view, "EXIF");
    const orientation = found && found.size >= 14 ? orientationIn(view, found.at, found.size) : 1;
    if (found) new Uint8Array(buffer).set([0x4a, 0x55, 0x4e, 0x4b], found.at - 8); // a name nobody reads
    return { blob: new Blob([buffer], { type: blob.type }), orientation: orientation >= 1 && orientation <= 8 ? orientation : 1 };
  } catch {
    return { blob, orientation: 1 }; // cut short: decoding tells
  }
}

/**
 * The transform that brings a picture of this width and height upright, as `setTransform` takes it.
 * Orientations 5 to 8 lie on their side: what is drawn is as wide as the picture is high.
 */
export function upright(orientation, width, height) {
  return {
    1: [1, 0, 0, 1, 0, 0],
    2: [-1, 0, 0, 1, width, 0],
    3: [-1, 0, 0, -1, width, height],
    4: [1, 0, 0, -1, 0, height],
    5: [0, 1, 1, 0, 0, 0],
    6: [0, 1, -1, 0, height, 0],
    7: [0, -1, -1, 0, height, width],
    8: [0, -1, 1, 0, 0, width],
  }[orientation];
}
