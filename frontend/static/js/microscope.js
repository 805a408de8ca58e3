/** One unit at one step: the equation with its numbers, and what is still in the cell. */

import { equations } from "./equations.js";
import { full, make, mark, nameOf, percent, short, spoken, t } from "./words.js";

const EARLIER = 24; // tokens back

export class Microscope {
  /**
   * @param {HTMLElement} host
   * @param {{store, axis, layers, onPick: (layer: number, unit: number) => void, onKept: () => void}} options
   */
  constructor(host, { store, axis, layers, onPick, onKept, earlier = EARLIER }) {
    Object.assign(this, { host, store, axis, layers, onPick, earlier });
    this.layer = layers.at(-1);
    this.unit = -1;
    this.heading = make("h2", {}, t("one unit, one step"));
    this.unitField = make("input", { type: "number", class: "field num", min: "0", step: "1", "aria-label": t("unit") });
    this.layerField = make(
      "select",
      { class: "plain", "aria-label": t("layer") },
      ...layers.map((layer, k) => make("option", { value: String(k) }, layerName(layer))),
    );
    const pick = () => onPick(this.layers[Number(this.layerField.value)], this.clamp(Number(this.unitField.value)));
    this.unitField.addEventListener("change", pick);
    this.layerField.addEventListener("change", pick);
    this.formula = make("div", { class: "formulas" });
    this.note = make("p", { class: "note" });
    this.keptTitle = make("h3", {}, t("still in it from earlier characters"));
    this.bars = make("div", { class: "kept", role: "img" });
    this.keptNote = make("p", { class: "note" });
    this.keptButton = make("button", { class: "plain", type: "button", "aria-pressed": "false" }, t("colour the text by it"));
    this.keptButton.addEventListener("click", onKept);
    this.bars.addEventListener("click", (event) => {
      const bar = event.target.closest("[data-t]");
      if (bar) axis.go(Number(bar.dataset.t));
    });
    this.hint = make("p", { class: "note" }, t("Click any place in a heat map to see the arithmetic behind it."));
    this.whole = make("div", {}, this.formula, this.note, this.keptTitle, this.bars, this.keptNote, this.keptButton);
    host.append(
      make("div", { class: "microscope-head" }, this.heading, make("span", { class: "pick" }, t("unit"), this.unitField, this.layerField)),
      this.hint,
      this.whole,
    );
    this.show(this.layer, -1);
  }

  clamp(unit) {
    const { units } = this.layer.points.h;
    return Number.isFinite(unit) ? Math.max(0, Math.min(units - 1, Math.round(unit))) : 0;
  }

  show(layer, unit) {
    this.layer = layer;
    this.unit = unit;
    this.layerField.value = String(this.layers.indexOf(layer));
    this.unitField.max = String(layer.points.h.units - 1);
    this.unitField.value = unit < 0 ? "" : String(unit);
    this.hint.hidden = unit >= 0;
    this.whole.hidden = unit < 0;
    this.built = null;
    this.draw();
  }

  draw() {
    const { axis, store, unit, layer } = this;
    const at = axis.at;
    if (unit < 0 || at < 0 || at >= store.length) return;
    const rows = equations(layer.points, at, unit);
    if (this.built !== layer) this.build(rows);
    let k = 0;
    for (const row of rows) {
      for (const part of row.parts) {
        if (typeof part === "string" || part.value === undefined) continue;
        this.number(this.slots[k++], part.value);
      }
      for (const sum of row.sums ?? []) this.number(this.slots[k++], sum.value);
    }
    this.tell(at);
    this.keep(at);
    rows.forEach((row, n) => this.formula.children[n].setAttribute("aria-label", inWords(row)));
  }

  number(slot, value) {
    slot.textContent = short(value);
    slot.title = full(value);
  }

  /** The equations' frame: every number under its symbol. */
  build(rows) {
    this.built = this.layer;
    this.slots = [];
    this.formula.replaceChildren(
      ...rows.map((row) => {
        const grid = make("div", { class: "formula", role: "math" });
        const sums = [];
        row.parts.forEach((part, k) => {
          if (typeof part === "string") {
            grid.append(place(make("span", { class: "sign" }, part), k, 1));
            if (row.parts[k + 1].value !== undefined) grid.append(place(make("span", { class: "sign" }, part), k, 2));
            return;
          }
          grid.append(place(symbol(part), k, 1));
          if (part.value === undefined) return;
          const slot = make("span", { class: `num q-${part.letter}` });
          this.slots.push(slot);
          grid.append(place(slot, k, 2));
        });
        for (const sum of row.sums ?? []) {
          const slot = make("b", { class: "num" });
          this.slots.push(slot);
          const box = make("span", { class: "sum" }, `${t(sum.key)} `, slot);
          box.style.gridColumn = `${sum.from + 1} / ${sum.to + 2}`;
          sums.push(box);
        }
        grid.append(...sums);
        return grid;
      }),
    );
  }

  tell(at) {
    const { points } = this.layer;
    const token = this.store.columns[at].token;
    if (points.z) {
      this.note.textContent = t("r lets {share} of the state before into the candidate n.", { share: percent(points.r.at(at, this.unit)) });
    } else if (points.c) {
      const f = points.f.at(at, this.unit);
      const i = points.i.at(at, this.unit);
      this.note.textContent = t("On reading {character} it keeps {kept} of its cell state and takes in {taken} of the candidate.", {
        character: mark(token),
        kept: percent(f),
        taken: percent(i),
      });
    } else this.note.textContent = "";
  }

  /** Bars under the earlier characters. */
  keep(at) {
    const { layer, store } = this;
    const keeper = layer.keeper;
    this.bars.hidden = this.keptButton.hidden = !keeper;
    if (!keeper) {
      this.keptNote.textContent = t("This cell has no gate that keeps: each step writes the whole state anew.");
      return;
    }
    this.keptNote.textContent = layer.cell
      ? t("The product of the forget gates f since each character: the share of the cell state of then that is still there.")
      : t("The product of the update gates z since each character: the share of the hidden state of then that is still there.");
    const from = Math.max(0, at - this.earlier + 1);
    const shares = store.kept(keeper, this.unit, at, from);
    while (this.bars.childElementCount < this.earlier) {
      this.bars.append(make("span", {}, make("i"), make("b", { class: "num" })));
    }
    [...this.bars.children].forEach((bar, k) => {
      const column = from + k;
      bar.hidden = column > at;
      if (bar.hidden) return;
      bar.dataset.t = column;
      bar.firstChild.style.transform = `scaleY(${shares[k]})`;
      bar.firstChild.style.background = `var(--q-${layer.cell ? "c" : "h"})`;
      bar.lastChild.textContent = mark(store.columns[column].token);
      bar.title = `${spoken(store.columns[column].token)}, ${t("step {n}", { n: column })}: ${percent(shares[k])}`;
    });
    const half = shares.findIndex((share) => share >= 0.5);
    this.bars.setAttribute("aria-label", t("more than half is left of the last {n} steps", { n: at - from - half }));
  }
}

/** An equation for a listener: letters and their numbers. */
function inWords(row) {
  return row.parts
    .map((part) => (typeof part === "string" ? part : `${(part.wrap ?? "#").replace("#", part.symbol)} ${part.value === undefined ? "" : short(part.value)}`))
    .join(" ");
}

export function layerName(layer) {
  return layer.reverse ? t("layer {n}, backward", { n: layer.number }) : t("layer {n}", { n: layer.number });
}

function symbol({ letter, symbol: text, index, wrap }) {
  const node = make("i", { class: `q q-${letter}` }, text);
  if (index) node.append(make("sub", {}, index));
  if (!wrap) return node;
  const [before, after] = wrap.split("#");
  return make("span", { class: "wrapped", title: nameOf(letter) }, before, node, after);
}

function place(node, column, row) {
  node.style.gridColumn = String(column + 1);
  node.style.gridRow = String(row);
  return node;
}
