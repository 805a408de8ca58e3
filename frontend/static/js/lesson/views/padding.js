/**
 * Texts of unequal length in one batch: filled up to the longest, read by the network, and the
 * loss at every place, with what the filling does to the mean and to the last state.
 *
 * Options: checkpoint, texts, side: "behind" or "before", mask: whether filling is left out of the
 * loss. The filling is a space, as the networks here know no other.
 * Values for exercises: `mean` as it is shown, `mean_all`, `mean_masked`, `filled`: how many places
 * are filling, `shift`: the most that a number of a last state is changed.
 */

import { trace } from "../../api.js";
import { decode, shapeOf } from "../../arrays.js";
import { color, inkOn, onRestyle, sequential } from "../../color.js";
import { inOneLine } from "../../problem.js";
import { make, mark, short, t } from "../../words.js";
import { labLink, ready } from "../checkpoint.js";

const REST = 400; // ms after typing
const DEEPEST = 200; // of 255
const FILLING = " ";

export async function mount(stage, options, figure) {
  const about = await ready(options.checkpoint);
  const view = new Padding(stage, { side: "behind", mask: false, ...options }, figure, about);
  await view.read();
  return view;
}

class Padding {
  constructor(stage, { texts, side, mask }, figure, about) {
    Object.assign(this, { figure, id: about.id, texts: [...texts], side, mask, vocabulary: about.config.vocab_size });
    this.point = `rnn.${(about.config.num_layers ?? 1) - 1}.h`;
    const where = make("select", { class: "plain", "aria-label": t("where the filling stands") }, ...["behind", "before"].map((name) => make("option", { value: name }, t(`filling ${name}`))));
    where.value = side;
    where.addEventListener("change", () => this.set({ side: where.value }));
    this.box = make("input", { type: "checkbox" });
    this.box.checked = mask;
    this.box.addEventListener("change", () => this.set({ mask: this.box.checked }));
    this.problem = make("p", { class: "broken", role: "alert" });
    this.fields = make("div", { class: "padding-fields" }, ...this.texts.map((text, k) => this.field(text, k)));
    this.table = make("div", { class: "targets-scroll" });
    this.sum = make("ul", { class: "padding-sum", "aria-live": "polite" });
    stage.replaceChildren(
      make("div", { class: "unit-head" }, where, make("label", {}, this.box, ` ${t("leave the filling out of the loss")}`),
        labLink(about)),
      this.fields, this.problem, this.table, this.sum,
    );
    onRestyle(() => this.draw());
  }

  field(text, k) {
    const input = make("input", { class: "field num text", type: "text", value: text, maxlength: "40", spellcheck: "false", autocomplete: "off", "aria-label": t("text {n} of the batch", { n: k + 1 }) });
    input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.texts[k] = input.value;
        this.figure.keep({ texts: [...this.texts] });
        this.read();
      }, REST);
    });
    return input;
  }

  set(change) {
    Object.assign(this, change);
    this.figure.keep(change);
    if ("side" in change) this.read();
    else this.draw();
  }

  async read() {
    const texts = this.texts.filter(Boolean);
    if (!texts.length) return;
    const asked = (this.asked = {});
    const longest = Math.max(...texts.map((text) => Array.from(text).length));
    try {
      const rows = await Promise.all(texts.map(async (text) => {
        const fill = FILLING.repeat(longest - Array.from(text).length);
        const padded = this.side === "behind" ? text + fill : fill + text;
        const [alone, within] = await Promise.all([text, padded].map((one) => trace(this.id, { text: one, points: [this.point] })));
        return { characters: Array.from(padded), fill: fill.length, losses: lossesOf(within), alone: lossesOf(alone), shift: distance(this.last(alone), this.last(within)) };
      }));
      if (asked !== this.asked) return; // the reader has gone on
      this.rows = rows;
      this.problem.textContent = "";
      this.draw();
    } catch (error) {
      this.problem.textContent = inOneLine(error);
    }
  }

  last(answer) {
    const { data } = answer.points[this.point];
    return decode(data).slice(-shapeOf(data).at(-1));
  }

  /** Whether place k of a row is filling. */
  filling(row, k) {
    return this.side === "behind" ? k >= row.characters.length - row.fill : k < row.fill;
  }

  /** Mean losses, with every target and without those that are filling. */
  means() {
    const sums = { all: 0, n_all: 0, masked: 0, n_masked: 0 };
    for (const row of this.rows) {
      row.losses.forEach((loss, k) => {
        sums.all += loss;
        sums.n_all++;
        if (this.filling(row, k + 1)) return;
        sums.masked += loss;
        sums.n_masked++;
      });
    }
    return { mean_all: sums.all / sums.n_all, mean_masked: sums.masked / sums.n_masked, filled: sums.n_all - sums.n_masked };
  }

  draw() {
    if (!this.rows) return;
    const ramp = sequential(color("--q-f")).css;
    const most = Math.log(this.vocabulary);
    const lines = this.rows.map((row) => make("tr", {}, ...row.characters.map((character, k) => {
      const filling = this.filling(row, k);
      const cell = make("td", { class: `num${filling ? " filling" : ""}` }, mark(character));
      const loss = row.losses[k - 1];
      if (k === 0) cell.classList.add("first");
      else if (filling && this.mask) cell.classList.add("masked");
      else {
        const css = ramp[Math.round(DEEPEST * Math.min(1, loss / most))];
        Object.assign(cell.style, { background: css, color: inkOn(css) });
      }
      cell.title = k ? `−ln p = ${short(loss)}` : t("nothing foretells the first");
      return cell;
    }), make("td", { class: "num padding-shift" }, row.fill ? `Δh ${row.shift.toFixed(2)}` : "")));
    this.table.replaceChildren(make("table", { class: "targets padding" }, make("tbody", {}, ...lines)));
    const { mean_all, mean_masked, filled } = this.means();
    const item = (text, shown) => make("li", { class: shown ? "shown" : "" }, text);
    this.sum.replaceChildren(
      item(t("mean loss with the filling: {mean} nats", { mean: short(mean_all) }), !this.mask),
      item(t("mean loss without it, {n} places left out: {mean} nats", { mean: short(mean_masked), n: filled }), this.mask),
      item(t("Δh: the most that filling changes a number of the last state; a colour from 0 to {most} nats is the loss at a character", { most: short(most) })),
    );
    this.figure.changed();
  }

  values() {
    if (!this.rows) return {};
    const means = this.means();
    return { ...means, mean: this.mask ? means.mean_masked : means.mean_all, shift: Math.max(...this.rows.map(({ shift }) => shift)) };
  }
}

/** Nats at every character but the first. */
function lossesOf(answer) {
  return Array.from(decode(answer.probability).slice(1), (share) => -Math.log(share));
}

function distance(one, other) {
  return one.reduce((most, value, k) => Math.max(most, Math.abs(value - other[k])), 0);
}
