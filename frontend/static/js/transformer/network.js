/**
 * What a transformer has, by its configuration: stacks, layers, heads, and the names of its points.
 * Where no stack is told, it is the one that `state` (of a subclass) names.
 */

import { Asking } from "../asking.js";

export class Network extends Asking {
  /** @param {{id: string, kind: string, config: object}} about */
  constructor(about) {
    super();
    this.about = about;
  }

  /** @returns {boolean} two stacks */
  get translates() {
    return this.about.kind === "transformer_seq2seq";
  }

  /** @returns {string[]} */
  get stacks() {
    return this.translates ? ["encoder", "decoder", "cross"] : [""];
  }

  /** Layers of a stack. */
  layers(stack = this.state.stack) {
    const { config } = this.about;
    if (!this.translates) return config.num_layers;
    return stack === "encoder" ? config.encoder_layers : config.decoder_layers;
  }

  get heads() {
    return this.about.config.num_heads;
  }

  /** The head of keys and values that belongs to a head of queries. */
  keyHead(head) {
    return Math.floor(head / (this.heads / (this.about.config.num_kv_heads || this.heads)));
  }

  /** A token sees itself and those before it only. */
  causal(stack = this.state.stack) {
    return stack === "decoder" || this.about.kind === "transformer_lm";
  }

  /** The name of a point of a layer ("*": of every layer), e.g. `decoder.blocks.2.cross.q`. */
  point(quantity, layer = "*", stack = this.state.stack) {
    return `${this.attention(layer, stack)}.${quantity}`;
  }

  /** The name of a head as edits have it, e.g. `blocks.2.5`. */
  headName(layer, head, stack = this.state.stack) {
    return `${this.attention(layer, stack)}.${head}`;
  }

  attention(layer, stack) {
    if (stack === "cross") return `decoder.blocks.${layer}.cross`;
    return `${stack ? `${stack}.` : ""}blocks.${layer}`;
  }
}
