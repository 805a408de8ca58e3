/** Everything about the page's state, in its address: opening the address shows the same again. */

const COMMON = Object.freeze({
  prefix: "",
  seed: 7,
  temperature: 0.8,
  top_k: 0,
  top_p: 1,
  n: 0, // characters written after the prefix
  at: -1, // current step; -1: the newest
  unit: "", // "layer.unit"
  layer: "", // layer of the maps; "all"; empty: the last
  points: "", // letters of the maps in order, e.g. "c,h,f"
  order: "index",
  height: "fit",
  colour: "none", // of the text: none, surprise, unit, kept
  zoom: 0, // css px a column; 0: as the page likes
  compare: "",
});

let defaults = COMMON;

/** What a checkpoint wishes for instead, e.g. {top_k: 1}; call before the address is read. */
export function setDefaults(own) {
  const known = Object.entries(own ?? {}).filter(([name, value]) => typeof COMMON[name] === typeof value);
  defaults = Object.freeze({ ...COMMON, ...Object.fromEntries(known) });
}

/** @returns {typeof COMMON} */
export function readState(search = location.search) {
  const query = new URLSearchParams(search);
  const state = { ...defaults };
  for (const name in defaults) {
    if (!query.has(name)) continue;
    const text = query.get(name);
    if (typeof COMMON[name] === "string") state[name] = text;
    else if (Number.isFinite(Number(text)) && text.trim() !== "") state[name] = Number(text);
  }
  return state;
}

/** What differs from the defaults, as a query. @param {Partial<typeof COMMON>} state */
export function toQuery(state, keep = location.search) {
  const query = new URLSearchParams(keep);
  for (const name in defaults) {
    query.delete(name);
    if (state[name] !== undefined && state[name] !== defaults[name]) query.set(name, state[name]);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

/**
 * A function that writes the state into the address, at most four times a second (browsers refuse
 * more).
 * @param {() => Partial<typeof COMMON>} current
 */
export function addressWriter(current) {
  let timer = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      history.replaceState(null, "", `${location.pathname}${toQuery(current())}${location.hash}`);
    }, 250);
  };
}
