/**
 * A switch for every head: a row a layer, a column a head. After a sweep each switch carries what
 * changes where that head alone is off.
 */

import { color, inkOn, sequential } from "../color.js";
import { full, make, percent, short, t } from "../words.js";
import { switchHead } from "./otherwise.js";
import { Sweep } from "./sweep.js";

const SMALL = 0.01; // nats or shares: below it a head hardly matters

export class HeadsBoard {
  /** @param {HTMLElement} host @param {import("./store.js").Store} store */
  constructor(host, store) {
    Object.assign(this, { host, store });
    this.sweep = new Sweep(store);
    this.build();
    for (const type of ["select", "edit", "read", "restyle"]) store.addEventListener(type, () => this.wake());
    this.sweep.addEventListener("change", () => this.wake());
    this.wake();
  }

  build() {
    this.grid = make("div", { class: "board", role: "group" });
    this.grid.addEventListener("click", (event) => this.click(event));
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.grid.addEventListener("pointerover", (event) => this.point(event.target));
    this.grid.addEventListener("focusin", (event) => this.point(event.target));
    this.grid.addEventListener("pointerleave", () => this.point(null));
    const button = (text, action, title) => {
      const node = make("button", { type: "button", class: "plain", title: title ?? null }, text);
      node.addEventListener("click", action);
      return node;
    };
    const { sweep } = this;
    this.layerButton = button(t("this layer"), () => sweep.run(this.names(this.store.state.layer)));
    this.allButton = button(t("all layers"), () => sweep.run(this.names()));
    this.stopButton = button(t("stop"), () => sweep.stop());
    this.progress = make("progress", { class: "sweep-progress", "aria-label": t("heads measured") });
    this.counter = make("span", { class: "num" });
    this.bar = make("span", { class: "bar" });
    this.high = make("span", { class: "num" });
    this.scale = make("span", { class: "scale" }, make("span", { class: "num" }, "0"), this.bar, this.high);
    this.unit = make("span", {});
    this.readout = make("p", { class: "note board-readout", role: "status" });
    this.host.append(
      this.grid,
      make("p", { class: "sweep" }, make("span", { class: "sweep-title" }, t("each head off in turn:")), this.layerButton, this.allButton, this.progress, this.counter, this.stopButton),
      make("p", { class: "sweep-scale" }, this.scale, this.unit),
      this.readout,
    );
  }

  /** Names of the heads of one layer, or of all. */
  names(layer = -1) {
    const { store } = this;
    const layers = layer < 0 ? Array.from({ length: store.layers() }, (_, l) => l) : [layer];
    return layers.flatMap((l) => Array.from({ length: store.heads }, (_, h) => store.headName(l, h)));
  }

  // Switching.

  click(event) {
    const node = event.target.closest("button");
    if (!node) return;
    if (node.dataset.head === undefined) this.switchLayer(Number(node.dataset.layer));
    else switchHead(this.store, this.store.headName(Number(node.dataset.layer), Number(node.dataset.head)));
  }

  /** All heads of a layer off; on again where all are off. */
  switchLayer(layer) {
    const { edits } = this.store.state;
    const names = this.names(layer);
    const others = edits.heads_off.filter((name) => !names.includes(name));
    const all = names.every((name) => edits.heads_off.includes(name));
    this.store.set({ edits: { ...edits, heads_off: all ? others : [...others, ...names].sort() } });
  }

  key(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const node = event.target.closest("[data-head]");
    if (!by || !node || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const layer = Math.max(0, Math.min(this.store.layers() - 1, Number(node.dataset.layer) + by[0]));
    const head = Math.max(0, Math.min(this.store.heads - 1, Number(node.dataset.head) + by[1]));
    for (const other of this.switches.values()) other.tabIndex = -1;
    const next = this.switches.get(this.store.headName(layer, head));
    next.tabIndex = 0;
    next.focus();
  }

  point(node) {
    const one = node?.closest?.("[data-head]");
    this.over = one ? [Number(one.dataset.layer), Number(one.dataset.head)] : null;
    this.tell();
  }

  // Drawing.

  wake() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  make() {
    const { store } = this;
    const { stack } = store.state;
    if (this.made === stack) return;
    this.made = stack;
    const [L, H] = [store.layers(), store.heads];
    this.switches = new Map();
    this.grid.style.setProperty("--heads", String(H));
    this.grid.setAttribute("aria-label", t("switches of heads, a row a layer"));
    const heads = Array.from({ length: H }, (_, h) => make("span", { class: "num", "aria-hidden": "true" }, String(h)));
    const rows = Array.from({ length: L }, (_, layer) => [
      make("button", { type: "button", class: "board-layer num", "data-layer": String(layer), title: t("switch the whole layer"), "aria-label": t("switch the whole layer {layer}", { layer }) }, String(layer)),
      ...Array.from({ length: H }, (_, head) => {
        const node = make("button", { type: "button", class: "switch num", "data-layer": String(layer), "data-head": String(head) });
        node.tabIndex = layer + head ? -1 : 0;
        this.switches.set(store.headName(layer, head), node);
        return node;
      }),
    ]);
    this.grid.replaceChildren(make("span", {}), ...heads, ...rows.flat());
  }

  draw() {
    this.make();
    const { store, sweep } = this;
    const ramp = sequential(color("--signed-high"));
    const largest = Math.max(SMALL, ...this.numbers());
    const off = new Set(store.state.edits.heads_off);
    for (const [name, node] of this.switches) {
      const value = sweep.found.get(name);
      const fill = value === undefined ? "" : ramp.css[Math.round(255 * Math.min(1, value / largest))];
      const isOff = off.has(name);
      node.setAttribute("aria-pressed", String(!isOff));
      node.classList.toggle("off", isOff);
      node.classList.toggle("measured", value !== undefined && !isOff);
      node.style.background = isOff ? "" : fill;
      node.style.color = fill && !isOff ? inkOn(fill) : "";
      node.textContent = value === undefined || isOff ? "" : few(value);
      const { layer, head } = node.dataset;
      node.classList.toggle("opened", Number(layer) === store.state.layer && Number(head) === store.state.head);
      const facts = [isOff ? t("switched off") : t("on")];
      if (value !== undefined) facts.push(this.valueOf(value));
      node.setAttribute("aria-label", `${t("layer {layer}, head {head}", { layer, head })}: ${facts.join(", ")}`);
      node.title = value === undefined ? "" : full(value);
    }
    this.host.classList.toggle("old", sweep.found.size > 0 && !sweep.current && !sweep.running);
    this.layerButton.hidden = this.allButton.hidden = sweep.running;
    this.stopButton.hidden = this.progress.hidden = this.counter.hidden = !sweep.running;
    this.layerButton.disabled = this.allButton.disabled = !store.reading;
    Object.assign(this.progress, { max: sweep.count || 1, value: sweep.done });
    this.counter.textContent = t("{n} of {count}", { n: sweep.done, count: sweep.count });
    this.scale.parentElement.hidden = !sweep.found.size;
    this.bar.style.backgroundImage = `linear-gradient(90deg, ${Array.from({ length: 9 }, (_, k) => ramp.css[Math.min(255, k * 32)]).join(", ")})`;
    this.high.textContent = sweep.outcome.predicts ? short(largest) : percent(largest);
    const onward = store.causal(store.translates ? "decoder" : "");
    this.unit.textContent = sweep.outcome.predicts && !onward ? t("nats: how far the probabilities at the chosen token move (KL)") : sweep.outcome.predicts ? t("nats: how far the next token's probabilities move (KL)") : t("how far the outputs move, of their size");
    this.tell();
  }

  /** What was measured of the stack that is shown. */
  numbers() {
    return [...this.sweep.found].filter(([name]) => this.switches.has(name)).map(([, value]) => value);
  }

  valueOf(value) {
    return this.sweep.outcome.predicts ? t("without it {nats} nats", { nats: short(value) }) : t("without it {share}", { share: percent(value) });
  }

  /** The switch that is pointed at; else what the sweep found. */
  tell() {
    const { store, sweep, over } = this;
    if (over) {
      const node = this.switches.get(store.headName(...over));
      this.readout.textContent = node?.getAttribute("aria-label") ?? "";
      return;
    }
    const [most] = sweep.ranked.filter(([name]) => this.switches?.has(name));
    if (!most || sweep.running) {
      this.readout.textContent = sweep.running ? "" : t("Click a switch, or the number of a layer.");
      return;
    }
    const numbers = this.numbers();
    const few = numbers.filter((value) => value < SMALL).length;
    const [layer, head] = /(\d+)\D*\.(\d+)$/.exec(most[0]).slice(1);
    const old = sweep.current ? "" : ` ${t("Measured before your last change.")}`;
    this.readout.textContent = `${t("Most changes without head {head} of layer {layer}: {value}.", { head, layer, value: sweep.outcome.predicts ? t("{n} nats", { n: short(most[1]) }) : percent(most[1]) })} ${t("{few} of {count} change it by less than {small}.", { few, count: numbers.length, small: sweep.outcome.predicts ? t("{n} nats", { n: SMALL }) : percent(SMALL) })}${old}`;
  }
}

/** A number as short as a switch has room for: .41, 2.3, 12. */
function few(value) {
  if (value < 0.005) return "0";
  if (value < 0.9995) return value.toFixed(2).slice(1);
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}
