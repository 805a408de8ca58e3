/**
 * The layers of a network as boxes in a row, from what it reads to what it says, by the sizes that
 * its config names; an encoder and a decoder are two rows.
 */

import { make, t } from "../words.js";

const CELLS = { lstm: "LSTM", gru: "GRU", rnn_tanh: "RNN", rnn_relu: "RNN" };
const MOST_LAYERS = 4; // drawn one by one

/** @param {{config: object, kind: string, questions: object[]}} found  a diagnosis @returns {HTMLElement[]} */
export function chains(found) {
  const { cell, num_layers: layers, hidden_size: hidden, source_size: source, channels } = found.config ?? {};
  if (!layers || !hidden || !CELLS[cell]) return [];
  if (source) return pair(found.config);
  return [row(channels ? columns(found.config) : plain(found), t("its layers, from what it reads to what it says"))];
}

function row(boxes, label) {
  return make("ol", { class: "chain", "aria-label": label }, ...boxes);
}

function box(quantity, name, sizes) {
  return make("li", { class: quantity }, make("b", {}, name), make("span", { class: "num" }, sizes));
}

/** Layers one after the other; of many those in the middle are counted. `into(k)` is what each reads. */
function stack(cell, layers, into, out, ways = "") {
  const boxes = [];
  for (let k = 0; k < layers; k++) {
    if (layers > MOST_LAYERS && k > 1 && k < layers - 1) {
      if (k === 2) boxes.push(make("li", { class: "more" }, `+ ${layers - 3}`));
      continue;
    }
    boxes.push(box("h", `${CELLS[cell]} ${k + 1}${ways}`, `${into(k) ?? ""} → ${out}`));
  }
  return boxes;
}

/** An embedding or one-hot input, recurrent layers, an output. */
function plain(found) {
  const { cell, num_layers: layers, hidden_size: hidden, vocab_size: symbols, embedding_size: embedding, bidirectional, input_size: input, labels, tags } = found.config;
  const width = hidden * (bidirectional ? 2 : 1);
  const first = symbols ? [box("x", embedding ? t("embedding") : t("one-hot"), embedding ? `${symbols} → ${embedding}` : String(symbols))] : [];
  const next = found.kind === "char_rnn" ? symbols : null; // it says which symbol comes
  const out = (labels ?? tags)?.length ?? found.questions.find(({ name }) => name === "labels")?.size ?? next;
  const last = out ? [box("y", t("output"), `${width} → ${out}`)] : [];
  return [...first, ...stack(cell, layers, (k) => (k ? width : embedding || symbols || input), width, bidirectional ? " ⇄" : ""), ...last];
}

/** An encoder and a decoder that begins with its state. */
function pair({ cell, num_layers: layers, hidden_size: hidden, source_size: source, target_size: target, source_embedding_size: read, target_embedding_size: written }) {
  const side = (size, width) => [box("x", t("embedding"), `${size} → ${width}`), ...stack(cell, layers, (k) => (k ? hidden : width), hidden)];
  const named = (name, boxes) => make("div", { class: "side" }, make("p", { class: "note" }, name), row(boxes, name));
  return [named(t("encoder"), side(source, read)), named(t("decoder"), [...side(target, written), box("y", t("output"), `${hidden} → ${target}`)])];
}

/** Convolutions, recurrent layers with a linear map behind each, an output a column. */
function columns({ cell, num_layers: layers, hidden_size: hidden, channels, linear_size: linear, classes }) {
  const boxes = [box("x", t("convolutions"), `1 → ${channels.at(-1)}`)];
  stack(cell, layers, (k) => (k ? linear : channels.at(-1)), 2 * hidden, " ⇄").forEach((layer) => boxes.push(layer, ...(layer.className === "more" ? [] : [box("", t("linear"), `${2 * hidden} → ${linear}`)])));
  return [...boxes, box("y", t("output"), `${linear} → ${classes}`)];
}
