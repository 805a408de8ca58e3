/** The lab of a transformer: brings the views together on one store. */

import { forgetColors } from "../color.js";
import { openLab } from "../open-lab.js";
import { Present } from "../present.js";
import { Problem } from "../problem.js";
import { t } from "../words.js";
import * as edits from "./edits.js";
import { headFigure, headRows, headsFigure, headsRows, lookFigure, lookRows } from "./figures.js";
import { Head } from "./head.js";
import { HeadMap } from "./head-map.js";
import { Heads } from "./heads.js";
import { transformerKeys } from "./keys.js";
import * as lens from "./lens.js";
import { Microscope } from "./microscope.js";
import * as next from "./next.js";
import * as positions from "./positions.js";
import { Prompt } from "./prompt.js";
import { provide, saveButtons } from "./saver.js";
import { Store } from "./store.js";
import { Strip } from "./strip.js";
import { Tabs } from "./tabs.js";
import { elsewhere } from "./url-state.js";
import * as writing from "./writing.js";

const FIGURES = ["heads", "head", "microscope", "next", "edits", "lens", "positions", "writing"];
// A section with this id is filled by `mount(store, section)`; where the kind has none, it is not there.
const VIEWS = { next, edits, lens, positions, writing };
const PATIENCE = 400; // ms that reading takes before the page says so
const get = (id) => document.getElementById(id);

class TransformerLab {
  constructor(about) {
    const store = (this.store = new Store(about));
    this.prompt = new Prompt(store);
    this.problem = new Problem(get("problem"), { prompt: get("prompt"), mirror: get("mirror"), onRetry: () => store.read() });
    const map = (this.map = new HeadMap(store));
    this.strips = (store.translates ? ["source", "target"] : ["source"]).map((side) => new Strip(get("strips"), store, map, { side, label: t(`${side} tokens`), lang: about[`${side}_language`] }));
    this.tabs = store.translates ? new Tabs(get("stacks"), store) : null;
    this.heads = new Heads(get("heads"), store, map);
    this.head = new Head(get("head"), store, map);
    this.microscope = new Microscope(get("microscope"), store, map);
    this.views = {};
    for (const [name, { mount }] of Object.entries(VIEWS)) if (get(name)) this.views[name] = mount(store, get(name));
    this.provide();
    saveButtons(store, (words) => this.say(words));
    this.present = new Present(get("present"), FIGURES.filter((name) => document.querySelector(`.${name}-figure`)), { onTurn: () => this.turned(), onToggle: () => this.restyle() });
    this.listen();
    if (this.present.on) this.present.turn(0);
    store.read();
  }

  /** How the heads, the opened one and the look are saved. */
  provide() {
    const { store, map, heads, microscope } = this;
    let whole = null;
    const look = () => [store, microscope.look, store.query, microscope.key];
    provide("heads", { figure: () => headsFigure(store, heads.maps), rows: () => headsRows(store, heads.maps), file: () => "heads" });
    provide("head", {
      ready: async () => ([whole] = (await store.slices([map.real()])) ?? []),
      figure: () => headFigure(store, whole, map.quantity),
      rows: () => headRows(store, whole),
      file: () => `${store.point(map.quantity, store.state.layer)}-${store.state.head}`,
    });
    provide("microscope", { figure: () => lookFigure(...look()), rows: () => lookRows(...look()), file: () => "look" });
  }

  listen() {
    const { store } = this;
    store.addEventListener("problem", () => this.problem.show(store.error));
    store.addEventListener("state", () => this.read());
    store.addEventListener("read", () => get("stage").classList.toggle("empty", !store.reading));
    new MutationObserver(() => this.restyle()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-present"] });
    get("open-help").addEventListener("click", () => get("help").showModal());
    get("checkpoint").addEventListener("change", (event) => (location.href = elsewhere(event.target.value)));
    transformerKeys(this);
  }

  /** Reading has begun or ended; one that takes a while is told. */
  read() {
    const { busy } = this.store;
    const tell = () => {
      document.body.classList.toggle("waits", busy);
      get("stage").setAttribute("aria-busy", String(busy));
    };
    document.body.classList.toggle("busy", busy);
    clearTimeout(this.timer);
    if (busy) this.timer = setTimeout(tell, PATIENCE);
    else tell();
  }

  /** Colours or sizes have changed: views draw again on the event `restyle`. */
  restyle() {
    forgetColors();
    this.store.tell("restyle");
  }

  /** Another figure on the projector. */
  turned() {
    this.restyle();
    scrollTo({ top: 0 });
  }

  say(words) {
    if (get("live").textContent !== words) get("live").textContent = words;
  }
}

openLab(TransformerLab);
