import { app } from '../../shared/state/app.svelte';
import { paramsOf } from '../../shared/state/range';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { brushed, isWithin, seeked, spanOf, spanParam, windowLength, type Span } from './scrub';

/** Replay moves on this often; the map asks again each time. */
const TICK_MS = 250;

/** Speeds of replay. */
export const SPEEDS = [1, 10, 60] as const;

/** The time scrubber: the strip's range, the window in it that all views show, and replay. */
export class Scrubber {
  playing = $state(false);
  speed = $state<(typeof SPEEDS)[number]>(10);
  /** Held while something is dragged, so that a live strip stands still under the pointer. */
  #held = $state.raw<Span | null>(null);
  #timer: ReturnType<typeof setInterval> | undefined;

  /** What the strip shows; null without data. */
  outer = $derived.by<Span | null>(() => {
    if (this.#held) return this.#held;
    const chosen = this.#chosen;
    const kept = time.choice.kind === 'fixed' ? spanOf(route.param('strip')) : null;
    return kept && chosen && isWithin(chosen, kept) ? kept : chosen;
  });

  /** The window that is shown of it; null when that is all. */
  window = $derived.by<Span | null>(() => {
    const { outer } = this;
    const now = time.scrub ? { from: time.scrub.sinceAt, to: time.scrub.untilAt } : this.#chosen;
    return outer && now && isWithin(now, outer) ? now : null;
  });

  /** Where the playhead stands: the end of what is shown. */
  head = $derived(this.window?.to ?? this.outer?.to ?? null);

  get #chosen(): Span | null {
    // What is chosen, not what is scrubbed.
    const scrub = time.scrub;
    const { sinceAt, untilAt } = scrub ? { sinceAt: null, untilAt: null } : time.range;
    if (scrub) return this.#held;
    const from = sinceAt ?? app.info?.oldestAt ?? null;
    const arriving = time.live && (app.counters?.spansPerSecond ?? 0) + (app.counters?.eventsPerSecond ?? 0) > 0;
    const to = untilAt ?? (arriving ? null : (app.info?.newestAt ?? null)) ?? time.now();
    return from === null || to <= from ? null : { from, to };
  }

  /** Begins to drag: the strip stands still until {@link commit}. */
  hold(): Span | null {
    this.#held = this.outer;
    return this.#held;
  }

  /** Shows a window without touching the address. */
  preview(window: Span): void {
    time.scrub = { sinceAt: window.from, untilAt: window.to };
  }

  /** Puts what is previewed into the address, as one step to go back. */
  commit(): void {
    const { scrub } = time;
    const outer = this.#held;
    this.#held = null;
    time.scrub = null;
    if (!scrub || !outer) return;
    this.#show(outer, { from: scrub.sinceAt, to: scrub.untilAt });
  }

  #show(outer: Span, window: Span): void {
    const choice = { kind: 'fixed', live: false, from: window.from, to: window.to } as const;
    route.set({ ...paramsOf(choice), strip: isWithin(window, outer) ? spanParam(outer) : null }, { push: true });
  }

  /** Shows what lies between two instants. */
  brush(a: number, b: number): void {
    if (this.outer) this.preview(brushed(this.#held ?? this.outer, a, b));
  }

  /** Moves the playhead. */
  seek(at: number): void {
    if (this.outer) this.preview(seeked(this.#held ?? this.outer, this.window, at));
  }

  /** Moves the playhead by half a window and keeps it. */
  nudge(direction: 1 | -1, whole = false): void {
    const outer = this.outer;
    if (!outer || this.head === null) return;
    const step = windowLength(outer, this.window) * (whole ? 1 : 0.5);
    this.pause();
    this.#show(outer, seeked(outer, this.window, this.head + direction * step));
  }

  /** Jumps to an instant: the window begins a little before it. */
  jump(at: number): void {
    const outer = this.outer;
    if (!outer) return;
    this.pause();
    const length = windowLength(outer, this.window);
    this.#show(outer, seeked(outer, this.window, at + length * 0.8));
  }

  /** Shows all of the strip again. */
  whole(): void {
    const outer = this.outer;
    this.stop();
    if (outer) route.set({ ...paramsOf({ kind: 'fixed', live: false, from: outer.from, to: outer.to }), strip: null }, { push: true });
  }

  /** Makes the window the strip's own range. */
  zoom(): void {
    this.pause();
    route.set({ strip: null }, { push: true });
  }

  /** Starts or pauses replay. From the end it starts over. */
  toggle(): void {
    if (this.playing) return this.pause();
    const outer = this.hold();
    if (!outer || this.head === null) return;
    const atEnd = this.head >= outer.to - 1;
    this.seek(atEnd ? outer.from : this.head);
    this.playing = true;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const outer = this.#held;
    const head = time.scrub?.untilAt;
    if (!outer || head === undefined || head >= outer.to) return this.pause();
    this.seek(head + TICK_MS * this.speed);
  }

  /** Pauses replay; the window stays. */
  pause(): void {
    if (!this.playing) return;
    clearInterval(this.#timer);
    this.playing = false;
    this.commit();
  }

  /** Ends replay and dragging without a trace: another time was chosen, or the view is left. */
  stop(): void {
    clearInterval(this.#timer);
    this.playing = false;
    this.#held = null;
    time.scrub = null;
  }
}
