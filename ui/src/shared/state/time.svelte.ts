import type { Range } from '../../lib/bindings';
import { DEFAULT_PRESET, choiceOf, labelOf, lengthOf, paramsOf, rangeAt, type Choice, type PresetId } from './range';
import { route } from './route.svelte';

/** The global time range, LIVE, and the clock of the studio. */
class Time {
  /** Grows when a live view should ask again: new data (at most once a second), or five quiet seconds. */
  beat = $state(0);
  #offset = $state(0);

  /** What is chosen; comes from the address. */
  choice = $derived<Choice>(choiceOf(route.params));
  live = $derived(this.choice.live);

  /** Now by the studio's clock, in milliseconds. Not reactive. */
  now(): number {
    return Date.now() + this.#offset;
  }

  /** Tells the studio's clock. */
  adjust(nowAt: number): void {
    const offset = nowAt - Date.now();
    // A few hundred milliseconds are the way of the answer, not a wrong clock.
    this.#offset = Math.abs(offset) > 2000 ? offset : 0;
  }

  /** The range now. Reading it in an effect depends on choice and beat. */
  get range(): Range {
    void this.beat;
    return rangeAt(this.choice, this.now());
  }

  /** Length in milliseconds, null when open. */
  get length(): number | null {
    if (this.choice.live) return lengthOf(this.choice.preset);
    const { from, to } = this.choice;
    return from === null || to === null ? null : to - from;
  }

  /** What the range button says. */
  get label(): string {
    return labelOf(this.choice, this.now());
  }

  /** Chooses a length ending now; turns LIVE on. */
  preset(id: PresetId): void {
    this.#choose({ live: true, preset: id });
  }

  /** Chooses fixed instants; turns LIVE off. */
  fixed(from: number | null, to: number | null): void {
    this.#choose({ live: false, from, to });
  }

  /** Shows the data around an instant, `length` or an hour wide; used by "nearest data". */
  around(at: number): void {
    const half = (this.length ?? 3_600_000) / 2;
    this.fixed(at - half, at + half);
  }

  /** Turns LIVE on or off; off freezes what is shown. */
  toggleLive(): void {
    if (this.choice.live) {
      const { sinceAt, untilAt } = rangeAt(this.choice, this.now());
      this.fixed(sinceAt, untilAt);
    } else {
      this.#choose(choiceOf({ range: route.param('range') ?? DEFAULT_PRESET }));
    }
  }

  #choose(choice: Choice): void {
    route.set(paramsOf(choice), { push: true });
  }
}

export const time = new Time();
