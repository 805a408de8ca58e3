/** The networks that can stand beside each other: those that say, character by character, what comes. */

import { checkpoint, checkpoints } from "../api.js";
import { make, pageData, t } from "../words.js";

const TASKS = ["trace", "generate"]; // who reads and writes says what comes next
const ALIKE = 0.5; // of the parameters of the largest: about the same size

/**
 * @typedef {object} Network
 * @property {string} id @property {string} name short, within its group @property {object} about
 * @property {string} corpus what it learned from: the same text, the same key
 */

/** All of them, those of the corpus that most have read first. @returns {Promise<Network[]>} */
export async function networks() {
  const listed = (await checkpoints()).filter(({ status, tasks }) => status === "loading" || (status === "ready" && TASKS.every((task) => tasks.includes(task))));
  const all = await Promise.all(listed.map(({ id }) => checkpoint(id).catch(() => null)));
  const able = all.filter((about) => about?.status === "ready" && TASKS.every((task) => about.tasks.includes(task)));
  const corpus = (about) => about.data?.sha256 ?? about.data?.file ?? about.id;
  const groups = new Map();
  for (const about of able) groups.set(corpus(about), [...(groups.get(corpus(about)) ?? []), about]);
  const ordered = [...groups.entries()].sort(([, one], [, two]) => two.length - one.length);
  return ordered.flatMap(([key, members]) => {
    const common = members.length > 1 ? commonStart(members.map(titleOf)) : "";
    return members.sort((one, two) => nats(two) - nats(one)).map((about) => ({ id: about.id, about, corpus: key, name: titleOf(about).slice(common.length) || about.id, title: titleOf(about) }));
  });
}

/** Nats on its test text; who was not tested comes last. */
function nats(about) {
  return about.figures?.test_nats ?? -1;
}

function titleOf(about) {
  return about.title || about.id;
}

/** What all titles begin with, up to a comma: "Shakespeare, ". */
function commonStart(titles) {
  let common = titles[0];
  for (const title of titles) while (!title.startsWith(common)) common = common.slice(0, -1);
  return common.slice(0, common.lastIndexOf(", ") + 2).replace(/^.$/, "");
}

/**
 * Which are chosen where the reader has not: of the first corpus one of each architecture, and of
 * these who are about as large as the largest.
 * @param {Network[]} all
 */
export function usual(all) {
  const first = all.filter(({ corpus }) => corpus === all[0]?.corpus);
  const largest = Math.max(...first.map(({ about }) => about.parameters ?? 0));
  const found = new Map();
  for (const one of first) {
    const { about } = one;
    if ((about.parameters ?? 0) < ALIKE * largest) continue;
    const made = `${about.kind} ${about.config?.cell ?? ""}`;
    if ((found.get(made)?.about.parameters ?? -1) < about.parameters) found.set(made, one);
  }
  return first.filter((one) => found.get(`${one.about.kind} ${one.about.config?.cell ?? ""}`) === one).map(({ id }) => id);
}

/** The letter of a network in its colour: what tells it apart in every figure. @param {number} place */
export function badge(place) {
  return make("i", { class: `net net-${place % 8}`, "aria-hidden": "true" }, letterOf(place));
}

export function letterOf(place) {
  return String.fromCharCode(65 + (place % 26));
}

/** The choice: a box for each network, by what they have learned from. */
export class Chooser {
  /** @param {HTMLElement} host @param {Network[]} all @param {(ids: string[]) => void} onChoose */
  constructor(host, all, onChoose) {
    const boxes = new Map();
    const groups = [...new Set(all.map(({ corpus }) => corpus))].map((corpus) => all.filter((one) => one.corpus === corpus));
    const several = groups.filter((members) => members.length > 1);
    const alone = groups.filter((members) => members.length === 1).flat();
    const field = (legend, members, name) => {
      const labels = members.map((one) => {
        const box = make("input", { type: "checkbox", value: one.id });
        box.addEventListener("change", () => onChoose(all.filter(({ id }) => boxes.get(id).checked).map(({ id }) => id)));
        boxes.set(one.id, box);
        return make("label", {}, box, " ", name(one));
      });
      return make("fieldset", {}, make("legend", {}, legend), ...labels);
    };
    const heading = (members) => {
      const { title, name, about } = members[0];
      return title.slice(0, title.length - name.length).replace(/, $/, "") || about.data?.file || "";
    };
    host.replaceChildren(...several.map((members) => field(heading(members), members, ({ name }) => name)), ...(alone.length ? [field(t("others, each with a text of its own"), alone, ({ title }) => title)] : []));
    this.boxes = boxes;
  }

  /** @param {string[]} ids */
  show(ids) {
    for (const [id, box] of this.boxes) box.checked = ids.includes(id);
  }
}

/** The way to a network's lab. @param {Network} one */
export function labOf(one) {
  return make("a", { href: `/${pageData.language}/lab/${one.id}` }, one.name);
}
