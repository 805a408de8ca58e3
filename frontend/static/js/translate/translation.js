/** One run of a translator: the words it read and the words it wrote. */

import { translate } from "../api.js";
import { DecoderRun } from "../decoder/run.js";
import { areCharacters, copies, sourceTokens } from "../decoder/tokens.js";

/**
 * @typedef {object} SourceToken
 * @property {string} token  as the reader wrote it @property {string} label  as views show it
 * @property {number} start @property {number} stop  in the text, in characters
 * @property {boolean} joined  goes on with the word before @property {boolean} copied
 */
/**
 * @typedef {object} Options  the body of POST .../translate
 * @property {string} text @property {number} [beam_size] @property {number} [length_penalty]
 * @property {number} [max_new_tokens] @property {number[]} [prefix]
 * @property {[number, number][]} [force]  [target step, source position]
 */

export class Translation extends DecoderRun {
  /** @param {Options} options */
  request(options, signal, receive) {
    return translate(this.about.id, options, signal, receive);
  }

  begin(data) {
    this.clear();
    this.sourceText = this.options.text;
    this.characters = areCharacters(this.about, data.source_tokens);
    this.source = sourceTokens(data.source_tokens, data.source_spans, data.copied, this.characters);
    this.takePoints(data.points);
    return "source";
  }

  finish(data) {
    // What was copied stands in the text where `<unk>` was written.
    copies(data.target_tokens, data.text).forEach((copy, k) => {
      if (copy && this.target[k]) Object.assign(this.target[k], { copy, label: copy });
    });
    return super.finish(data);
  }
}
