import type { Range } from '../../lib/bindings';
import { marks } from './marks.svelte';
import { choiceOf, labelOf, lengthOf, paramsOf, rangeAt, stepped, type Choice, type PresetId } from './range';
import { route } from './route.svelte';

/** The global time range, LIVE, and the clock of the studio. */
class Time {
  /** Grows when a live view should ask again: new data (at most once a second), or five quiet seconds. */
  beat = $state(0);
  #offset = $state(0);

  /** What is chosen; comes from the address. As text first, so that other parts of the address change nothing that depends on it. */
  #chosen = $derived(JSON.stringify(choiceOf(route.params)));
  choice = $derived<Choice>(JSON.parse(this.#chosen));
  /** A window that moves while somebody drags or replays; the address follows when it comes to rest. Null: what is chosen counts. */
  scrub = $state.raw<{ sinceAt: number; untilAt: number } | null>(null);
  live = $derived(this.choice.live && this.scrub === null);

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

  /** The range now. Reading it in an effect depends on choice, marks and beat. */
  get range(): Range {
    void this.beat;
    return this.scrub ?? this.#at(this.choice);
  }

  /** Length in milliseconds, null when open. */
  get length(): number | null {
    if (this.scrub) return this.scrub.untilAt - this.scrub.sinceAt;
    if (this.choice.kind === 'last') return lengthOf(this.choice.preset);
    const { sinceAt, untilAt } = this.#at(this.choice);
    return sinceAt === null || untilAt === null ? null : untilAt - sinceAt;
  }

  /** What the range button says. */
  get label(): string {
    const { scrub } = this;
    return labelOf(scrub ? { kind: 'fixed', live: false, from: scrub.sinceAt, to: scrub.untilAt } : this.choice, this.now());
  }

  /** Chooses a length ending now; turns LIVE on. */
  preset(id: PresetId): void {
    this.#choose({ kind: 'last', live: true, preset: id });
  }

  /** Chooses fixed instants; turns LIVE off. */
  fixed(from: number | null, to: number | null): void {
    this.#choose({ kind: 'fixed', live: false, from, to });
  }

  /** Chooses what came after a mark (LIVE), before one, or between two. */
  marked(since: string | null, until: string | null): void {
    if (since === null && until === null) this.preset('all');
    else this.#choose({ kind: 'marks', live: until === null, since, until });
  }

  /** Sets a mark here and now: all views show only what comes after it. Nothing is deleted. Gives its name. */
  async fromNow(): Promise<string> {
    const name = await marks.setAt(this.now());
    this.marked(name, null);
    return name;
  }

  /** Gives a mark another name, also where it is chosen. */
  async renameMark(from: string, to: string): Promise<void> {
    await marks.rename(from, to);
    const renamed = (param: 'since' | 'until') => (route.param(param) === from ? { [param]: to } : {});
    route.set({ ...renamed('since'), ...renamed('until') }, { push: false });
  }

  /** Removes a mark, and its part of what is chosen. */
  async removeMark(name: string): Promise<void> {
    await marks.remove(name);
    const gone = (param: 'since' | 'until') => (route.param(param) === name ? { [param]: null } : {});
    route.set({ ...gone('since'), ...gone('until') }, { push: false });
  }

  /** Shows the data around an instant, `length` or an hour wide; used by "nearest data". */
  around(at: number): void {
    const half = (this.length ?? 3_600_000) / 2;
    this.fixed(at - half, at + half);
  }

  /** Shows the data around an instant that lies outside of the range; one that is shown changes nothing. */
  reach(at: number): void {
    const { sinceAt, untilAt } = this.range;
    if (at < (sinceAt ?? -Infinity) || at >= (untilAt ?? Infinity)) this.around(at);
  }

  /** Goes one length of the range back or forward; beyond now is LIVE again. */
  step(direction: 1 | -1): void {
    const next = stepped(this.#at(this.choice), direction, this.now());
    if (next === 'live') {
      if (!this.live) this.toggleLive();
    } else if (next) this.fixed(next.from, next.to);
  }

  /** Turns LIVE on or off; off freezes what is shown. */
  toggleLive(): void {
    if (this.scrub && this.choice.live) {
      this.scrub = null;
      return;
    }
    if (this.choice.live) {
      const { sinceAt, untilAt } = this.#at(this.choice);
      this.fixed(sinceAt, untilAt ?? this.now());
      return;
    }
    const { range, since } = route.params;
    this.#choose(choiceOf(since === undefined ? { ...(range === undefined ? {} : { range }) } : { since }));
  }

  #at(choice: Choice): Range {
    return rangeAt(choice, this.now(), (name) => marks.at(name));
  }

  #choose(choice: Choice): void {
    this.scrub = null;
    // A replay or a drag chooses many times a second: the address takes such a burst as one step.
    route.set(paramsOf(choice));
  }
}

export const time = new Time();
