/** Cards made in one frame while the map is moved. */
const AT_ONCE = 16;

/** Ids of the cards that exist: those that are wanted, a few more with every frame, so that moving a map does not wait for them. */
export class Gradual {
  ids = $state.raw<ReadonlySet<string>>(new Set());
  #wanted: ReadonlySet<string> = new Set();
  #frame = 0;

  want(ids: ReadonlySet<string>): void {
    this.#wanted = ids;
    if (this.#frame === 0) this.#step();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #step(): void {
    const missing = [...this.#wanted].filter((id) => !this.ids.has(id));
    const kept = [...this.ids].filter((id) => this.#wanted.has(id));
    if (missing.length > 0 || kept.length < this.ids.size) this.ids = new Set([...kept, ...missing.slice(0, AT_ONCE)]);
    if (missing.length <= AT_ONCE) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#step();
    });
  }
}
