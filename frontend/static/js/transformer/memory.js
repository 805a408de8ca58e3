/** What was fetched, by name, up to so many bytes: the least recently used is forgotten first. */

export class Memory {
  /** @param {number} most bytes */
  constructor(most) {
    this.most = most;
    this.bytes = 0;
    this.kept = new Map(); // the least recently used first
  }

  has(name) {
    return this.kept.has(name);
  }

  /** The value, or undefined. */
  get(name) {
    const found = this.kept.get(name);
    if (!found) return undefined;
    this.kept.delete(name);
    this.kept.set(name, found);
    return found.value;
  }

  put(name, value, bytes) {
    this.drop(name);
    this.kept.set(name, { value, bytes });
    this.bytes += bytes;
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.most || this.kept.size === 1) break;
      this.drop(oldest);
    }
  }

  drop(name) {
    const found = this.kept.get(name);
    if (!found) return;
    this.bytes -= found.bytes;
    this.kept.delete(name);
  }
}
