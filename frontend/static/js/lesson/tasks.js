/**
 * Five ways from what is read to what is written, and the networks that go them: which route of the
 * server answers, and how its answer becomes the columns of an unrolled graph (`task-graph`).
 *
 * A task has ways, one a kind of network; a checkpoint goes the way of its kind.
 */

import { ApiError, caption, classify, generate, tag, trace, translate } from "../api.js";
import { decode } from "../arrays.js";
import { areCharacters, isSign, sourceTokens, written } from "../decoder/tokens.js";
import { mark } from "../words.js";
import { photoBlob } from "./photos.js";

/** @typedef {{token: string, probability: number}} Candidate */
/**
 * @typedef {object} Column  one step
 * @property {string|null} x  what is read; null: nothing
 * @property {boolean} [sign]  it is a sign of the network's own, such as <s>
 * @property {boolean} [fed]  it is what the step before has written
 * @property {string|null} [y]  what is written, or guessed; null: nothing
 * @property {number} [share]  its probability
 * @property {Candidate[]} [top]  the likeliest, best first; where nothing is written: what would be,
 *   if the text ended there
 * @property {boolean} [writes]  a step of the part that writes, where there are two parts
 */
/**
 * @typedef {object} Drawing
 * @property {Column[]} columns
 * @property {{y: string, share: number, top: Candidate[], from: ArrayLike<number>}} [answer]  one for
 *   the whole text; `from`: how much of it comes from each column, 0..1
 * @property {string} [photo]  the name of the photo that is read
 * @property {"vector"|"attention"} [rail]  what every step that writes gets besides
 * @property {boolean} [both]  states run in both directions over what is read
 * @property {Record<string, number>} [shares]  probability of every answer, by name
 * @property {number} read  how many things went in @property {number} written  and came out
 */

const WRITTEN = 12; // characters that a network writes by itself
const TOLD = 5; // likeliest of a step

/** What a stream tells, all of it: its steps, and its other events by name. */
async function all(ask) {
  const found = { steps: [] };
  await ask((event, text) => {
    const data = JSON.parse(text);
    if (event === "step") found.steps.push(data);
    else found[event] = data;
  });
  if (found.error) throw new ApiError(found.error.error);
  return found;
}

/** The likeliest of a row of probabilities, by name. */
function best(row, names) {
  const order = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, TOLD);
  return order.map((k) => ({ token: names[k], probability: row[k] }));
}

/** A step's output as a column holds it. */
function output(top) {
  return { y: top[0].token, share: top[0].probability, top };
}

/** Candidates as they are shown: blanks as marks, words without the space before them. */
const tokens = (top) => top.map(({ token, probability }) => ({ token: token.trim() || mark(token), probability }));

/** What comes next, after every character; the first of them read from an empty state. */
async function guess(about, { text }, signal) {
  const { tokens: characters, next } = await trace(about.id, { text, points: [] }, signal);
  const shares = decode(next.probabilities);
  const of = next.tokens[0].length;
  const columns = characters.map((character, k) => {
    const top = next.tokens[k].map((token, n) => ({ token, probability: shares[k * of + n] }));
    return { x: mark(character), ...output(tokens(top)) };
  });
  return { columns, read: columns.length, written: columns.length };
}

/** On from one character, always with the likeliest. */
async function write(about, { text }, signal) {
  const body = { prefix: text, max_new_tokens: WRITTEN, temperature: 1, top_k: 1, seed: 0, points: [] };
  const { steps } = await all((receive) => generate(about.id, body, signal, receive));
  const fresh = steps.filter(({ prefix }) => !prefix);
  const columns = fresh.map(({ top }, k) => ({ x: mark(k ? fresh[k - 1].token : text), fed: k > 0, ...output(tokens(top)) }));
  return { columns, read: 1, written: columns.length };
}

/** The columns of a decoder: it begins with a sign, then reads what it has written. */
function decoded(about, steps) {
  const characters = areCharacters(about, steps.map(({ token }) => token));
  const labels = steps.map(({ token }, k) => written(token, steps[k - 1]?.token, characters).label);
  return steps.map(({ top, probability }, k) => ({
    x: k ? labels[k - 1] : "<s>", sign: !k, fed: k > 0, writes: true,
    y: labels[k], share: probability, top: tokens(top.slice(0, TOLD)),
  }));
}

const railOf = (about) => (about.points.some(({ name }) => name === "attention") ? "attention" : "vector");

/** A photo, word by word. */
async function describe(about, { photo }, signal) {
  const query = new URLSearchParams({ points: "none" });
  const blob = await photoBlob(photo, signal);
  const { steps } = await all((receive) => caption(about.id, query, blob, signal, receive));
  const columns = decoded(about, steps);
  return { columns, photo, rail: railOf(about), read: 1, written: columns.length };
}

/** A text into another: first it is read to its end, then the other is written. */
async function convert(about, { text }, signal) {
  const { start, steps } = await all((receive) => translate(about.id, { text, points: [] }, signal, receive));
  const characters = areCharacters(about, start.source_tokens);
  const source = sourceTokens(start.source_tokens, start.source_spans, start.copied, characters);
  const read = source.map(({ label, token }) => ({ x: label, sign: isSign(token), y: null }));
  const both = about.points.some(({ name }) => name.includes(".reverse."));
  const columns = [...read, ...decoded(about, steps)];
  return { columns, rail: railOf(about), both, read: source.length, written: steps.length };
}

/**
 * One answer to a whole text: by its pooling it comes from the last states, or from all of them.
 * Where the network tells it, a column holds what the answer would be if the text ended there.
 */
async function label(about, { text }, signal) {
  const has = (name) => about.points.some((point) => point.name === name);
  const both = about.points.some(({ name }) => name.includes(".reverse."));
  const found = await classify(about.id, { text, points: ["attention", "labels"].filter(has) }, signal);
  const of = found.labels.length;
  const soFar = found.points.labels && decode(found.points.labels.data);
  const columns = found.tokens.map((token, k) => ({ x: mark(token), y: null, top: soFar && best(soFar.subarray(k * of, (k + 1) * of), found.labels) }));
  const shares = decode(found.probabilities);
  const answer = { ...output(best(shares, found.labels)), from: sources(about, found, both) };
  return { columns, answer, both, read: columns.length, written: 1, shares: Object.fromEntries(found.labels.map((name, k) => [name, shares[k]])) };
}

/** How much of the answer to a whole text comes from each of its steps. */
function sources(about, { tokens: read, points }, both) {
  if (points.attention) return decode(points.attention.data);
  if (about.config?.pooling === "mean") return read.map(() => 1 / read.length);
  return read.map((_, k) => Number(k === read.length - 1 || (both && k === 0)));
}

/** A tag for every word. */
async function tags(about, { text }, signal) {
  const found = await tag(about.id, { text, points: [] }, signal);
  const shares = decode(found.probabilities);
  const of = found.labels.length;
  const columns = found.tokens.map((token, k) => ({ x: mark(token), ...output(best(shares.subarray(k * of, (k + 1) * of), found.labels)) }));
  const both = about.points.some(({ name }) => name.includes(".reverse."));
  return { columns, both, read: columns.length, written: columns.length };
}

/**
 * @typedef {object} Way
 * @property {string} kind  of the networks that go it
 * @property {"character"|"text"|"photo"} takes
 * @property {(about, input: {text?: string, photo?: string}, signal) => Promise<Drawing>} run
 * @property {string} [first]  the checkpoint that is shown first @property {object} [input]  and what
 *   it reads; otherwise the prompt of the checkpoint
 */

/** @type {Record<string, Way[]>} */
export const TASKS = {
  "one-one": [{ kind: "char_rnn", takes: "character", run: guess, first: "shakespeare-rnn", input: { text: "t" } }],
  "one-many": [
    { kind: "captioner", takes: "photo", run: describe, first: "caption-soft", input: { photo: "drawn-dog" } },
    { kind: "char_rnn", takes: "character", run: write, first: "shakespeare-lstm", input: { text: "T" } },
  ],
  "many-one": [{ kind: "sequence_classifier", takes: "text", run: label, first: "surnames" }],
  aligned: [
    { kind: "tagger", takes: "text", run: tags, first: "tagger-en" },
    { kind: "char_rnn", takes: "text", run: guess, first: "shakespeare-lstm", input: { text: "To be, or" } },
  ],
  unaligned: [{ kind: "seq2seq", takes: "text", run: convert, first: "translate-en-fr", input: { text: "A black dog is running." } }],
};

/** The checkpoints that a task can be shown with, and the way of each. @param {object[]} known */
export function networksFor(task, known) {
  return TASKS[task].flatMap((way) => {
    const of = known.filter(({ kind, status }) => kind === way.kind && status !== "failed");
    of.sort((a, b) => Number(b.id === way.first) - Number(a.id === way.first));
    return of.map((about) => ({ way, about }));
  });
}
