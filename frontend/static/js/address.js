/** A page's state in its address: opening the address shows the same again. */

/**
 * Names with their defaults; a name's default says whether it is text or a number. Only what
 * differs from its default stands in the address.
 * @template {Record<string, string|number>} State
 */
export class Address {
  /** @param {State} defaults */
  constructor(defaults) {
    this.common = Object.freeze({ ...defaults });
    this.defaults = this.common;
  }

  /** What a checkpoint wishes for instead, e.g. {top_k: 1}; call before the address is read. */
  wish(own) {
    const known = Object.entries(own ?? {}).filter(([name, value]) => typeof this.common[name] === typeof value);
    this.defaults = Object.freeze({ ...this.common, ...Object.fromEntries(known) });
  }

  /** @returns {State} */
  read(search = location.search) {
    const query = new URLSearchParams(search);
    const state = { ...this.defaults };
    for (const name in this.defaults) {
      if (!query.has(name)) continue;
      const text = query.get(name);
      if (typeof this.common[name] === "string") state[name] = text;
      else if (Number.isFinite(Number(text)) && text.trim() !== "") state[name] = Number(text);
    }
    return state;
  }

  /** What differs from the defaults, as a query. @param {Partial<State>} state */
  query(state, keep = location.search) {
    const query = new URLSearchParams(keep);
    for (const name in this.defaults) {
      query.delete(name);
      if (state[name] !== undefined && state[name] !== this.defaults[name]) query.set(name, state[name]);
    }
    const text = query.toString();
    return text ? `?${text}` : "";
  }

  /**
   * A function that writes the state into the address, at most four times a second (browsers
   * refuse more).
   * @param {() => Partial<State>} current
   */
  writer(current) {
    let timer = 0;
    return () => {
      if (timer) return;
      timer = setTimeout(() => {
        timer = 0;
        history.replaceState(null, "", `${location.pathname}${this.query(current())}${location.hash}`);
      }, 250);
    };
  }
}
