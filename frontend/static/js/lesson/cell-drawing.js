/**
 * One step of an LSTM or a GRU as a drawing: the road that the state goes along, what multiplies it,
 * what is added to it. The width of a line is the share that a gate lets through.
 *
 * A drawing is made once for a cell and a width; `show` puts numbers into it.
 */

import { svg } from "../decoder/svg.js";
import { nameOf, short } from "../words.js";

const BOX = 40; // units of a box's height; text is measured in them too
const ROAD = 7; // width of the road where nothing is taken away
const THIN = 1; // of a line that lets nothing through
const FONT = 13;
const SMALL = 12; // where there is less room

/**
 * Where things stand. Boxes: [letter, index, x, y, width]; products and sums: [x, y]; lines: [the
 * width they have, the letter of their hue, the path].
 */
const PLANS = {
  lstm: {
    wide: {
      size: [760, 272],
      boxes: { before: [84, 44, 128], f: [224, 136, 112], i: [224, 204, 112], g: [374, 240, 112], now: [664, 44, 128], tanh: [664, 116, 128], o: [532, 180, 112], h: [664, 240, 128] },
      signs: { forget: [224, 44], add: [374, 44], write: [374, 160], show: [664, 180] },
      lines: [["all", "c", "M148 44H212"], ["f", "c", "M236 44H362"], ["all", "c", "M386 44H600"], ["gate", "f", "M224 116V56"], ["gate", "i", "M280 204C320 204 340 190 364 168"], ["all", "g", "M374 220V172"], ["i", "g", "M374 148V56"], ["all", "c", "M664 64V96"], ["all", "c", "M664 136V168"], ["gate", "o", "M588 180H652"], ["o", "h", "M664 192V220"]],
      notes: { kept: [298, 32, "middle"], written: [384, 106, "start"] },
    },
    narrow: {
      size: [340, 344],
      boxes: { before: [48, 40, 94], f: [118, 116, 84], i: [140, 212, 84], g: [232, 212, 84], now: [290, 40, 98], tanh: [290, 116, 98], o: [190, 272, 84], h: [290, 322, 98] },
      signs: { forget: [118, 40], add: [190, 40], write: [190, 132], show: [290, 272] },
      lines: [["all", "c", "M95 40H106"], ["f", "c", "M130 40H178"], ["all", "c", "M202 40H241"], ["gate", "f", "M118 96V52"], ["gate", "i", "M140 192C140 164 168 150 181 140"], ["all", "g", "M232 192C232 168 212 150 199 140"], ["i", "g", "M190 120V52"], ["all", "c", "M290 60V96"], ["all", "c", "M290 136V260"], ["gate", "o", "M232 272H278"], ["o", "h", "M290 284V302"]],
      notes: { kept: [154, 22, "middle"], written: [181, 86, "end"] },
    },
  },
  gru: {
    wide: {
      size: [720, 254],
      boxes: { before: [84, 44, 128], z: [232, 140, 112], r: [262, 224, 112], n: [440, 224, 128], now: [620, 44, 128] },
      signs: { forget: [232, 44], add: [440, 44], write: [440, 140] },
      lines: [["all", "h", "M148 44H220"], ["z", "h", "M244 44H428"], ["all", "h", "M452 44H556"], ["gate", "z", "M232 120V56"], ["gate", "z", "M288 140H428"], ["all", "n", "M440 204V152"], ["rest", "n", "M440 128V56"], ["r", "h", "M318 224H376"]],
      notes: { kept: [336, 32, "middle"], written: [450, 92, "start"], rest: [352, 130, "middle"] },
    },
    narrow: {
      size: [340, 236],
      boxes: { before: [48, 40, 94], z: [100, 118, 84], r: [86, 212, 84], n: [220, 212, 94], now: [290, 40, 98] },
      signs: { forget: [118, 40], add: [220, 40], write: [220, 118] },
      lines: [["all", "h", "M95 40H106"], ["z", "h", "M130 40H208"], ["all", "h", "M232 40H241"], ["gate", "z", "M118 98V52"], ["gate", "z", "M142 118H208"], ["all", "n", "M220 192V130"], ["rest", "n", "M220 106V52"], ["r", "h", "M128 212H173"]],
      notes: { kept: [166, 22, "middle"], written: [228, 84, "start"], rest: [175, 110, "middle"], share: [175, 136, "middle"] },
    },
  },
};

export class CellDrawing {
  /** @param {"lstm"|"gru"} cell @param {boolean} narrow */
  constructor(cell, narrow) {
    const plan = PLANS[cell][narrow ? "narrow" : "wide"];
    Object.assign(this, { cell, narrow });
    const [width, height] = plan.size;
    this.node = svg("svg", { class: "cell-drawing", viewBox: `0 0 ${width} ${height}`, role: "img" });
    this.lines = plan.lines.map(([share, letter, d]) => {
      const line = svg("path", { class: `of-${letter}${share === "gate" ? " asks" : ""}`, d, fill: "none" });
      this.node.append(line);
      return { share, line };
    });
    this.boxes = Object.entries(plan.boxes).map(([name, place]) => this.box(name, ...place));
    for (const [name, [x, y]] of Object.entries(plan.signs)) {
      this.node.append(svg("circle", { class: "sign", cx: x, cy: y, r: 12 }), text({ class: "sign", x, y: y + 5, "text-anchor": "middle" }, name === "add" ? "+" : "×"));
    }
    this.notes = Object.entries(plan.notes).map(([name, [x, y, anchor]]) => {
      const note = text({ class: "note num", x, y, "text-anchor": anchor });
      this.node.append(note);
      return { name, note };
    });
  }

  /** A box with a letter, a number and a gauge. */
  box(name, x, y, width) {
    const road = this.cell === "lstm" ? "c" : "h";
    const letter = { before: road, now: road, tanh: "c" }[name] ?? name;
    const index = name === "before" ? "t−1" : "t";
    const left = x - width / 2;
    const top = y - BOX / 2;
    const gauge = svg("rect", { class: "gauge", x: 0, y: top + BOX - 5, width: 1, height: 4 });
    const pad = this.narrow ? 5 : 7;
    const value = text({ class: "num", x: left + width - pad, y: y + 3, "text-anchor": "end", "font-size": this.narrow ? SMALL : FONT });
    const label = text({ class: this.narrow && name === "tanh" ? "letter low" : "letter", x: left + pad, y: y + 3 }, name === "tanh" ? "tanh" : letter);
    if (name !== "tanh") label.append(svg("tspan", { class: "index", dy: 3 }, index));
    const group = svg("g", { class: `box of-${letter}` }, svg("title", {}, name === "tanh" ? "tanh" : nameOf(letter)), svg("rect", { class: "frame", x: left, y: top, width, height: BOX, rx: 5 }), gauge, label, value);
    this.node.append(group);
    return { name, gauge, value, left: left + 2, width: width - 4 };
  }

  /** @param {Record<string, number>} now  values by the boxes' names, and of the state `before` */
  show(now) {
    const kept = now[this.cell === "lstm" ? "f" : "z"] * now.before;
    const written = this.cell === "lstm" ? now.i * now.g : (1 - now.z) * now.n;
    const shares = { all: 1, gate: 0.2, f: now.f, i: now.i, o: now.o, z: now.z, r: now.r, rest: 1 - now.z };
    for (const { share, line } of this.lines) line.style.strokeWidth = `${THIN + (ROAD - THIN) * shares[share]}px`;
    const limit = this.cell === "lstm" ? Math.max(1, Math.abs(now.before), Math.abs(now.now)) : 1;
    for (const { name, gauge, value, left, width } of this.boxes) {
      value.textContent = short(now[name]);
      const signed = !"ifozr".includes(name);
      const size = signed ? Math.abs(now[name]) / (name === "before" || name === "now" ? limit : 1) / 2 : now[name];
      const start = signed ? (now[name] < 0 ? 0.5 - size : 0.5) : 0;
      gauge.style.x = `${left + start * width}px`;
      gauge.style.width = `${Math.max(0.5, size * width)}px`;
    }
    const words = { kept: short(kept), written: short(written), share: short(1 - now.z), rest: this.narrow ? "1 − z" : `1 − z = ${short(1 - now.z)}` };
    for (const { name, note } of this.notes) note.textContent = words[name];
  }
}

function text(attributes, content = "") {
  return svg("text", { "font-size": FONT, ...attributes }, content);
}
