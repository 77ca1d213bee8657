import { untrack } from 'svelte';
import { backend } from '../../lib/backend';
import type { EventRow, EventsPage, EventsRequest, Update } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { holdRows, mergeRows } from './tail';

const PAGE = 200;

/** The live tail: filter, rows, what waits while it stands still. */
export class Tail {
  /** The expression. */
  filter = $derived(route.param('q') ?? '');
  /** Not while the view shows something else. */
  shown = $derived(route.param('tab') !== 'logs');
  query = new Query('events');
  rows = $state.raw<EventRow[]>([]);
  /** Newer rows held back. */
  waiting = $state.raw<EventRow[]>([]);
  /** Stopped by hand (Space). */
  paused = $state(false);
  hovered = $state(false);
  away = $state(false);
  loadingMore = $state(false);
  /** Rows the studio did not list because too many came at once. */
  skipped = $state(0);
  #complete = $state(false);
  #scope = '';
  #first = true;

  page = $derived<EventsPage | null>(this.query.data);
  loaded = $derived(this.query.data !== null || this.query.error !== null);
  filtered = $derived(this.filter !== '');
  /** Down to where the studio looked, when it stopped. */
  stoppedAt = $state<number | null>(null);
  held = $derived(this.paused || this.hovered || this.away);
  more = $derived(!this.#complete && this.rows.length > 0);

  /** Keeps the tail up to date; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      const [filter, range] = [this.filter, time.range];
      if (!this.shown) return;
      untrack(() => {
        const scope = JSON.stringify([filter, time.choice]);
        const replace = scope !== this.#scope;
        this.#scope = scope;
        if (replace) this.#restart();
        void this.query.load(this.#request({ limit: PAGE }, range), { replace });
      });
    });
    $effect(() => {
      const page = this.query.data;
      if (page) untrack(() => this.#take(page));
    });
    $effect(() => app.listen((u) => this.#pushed(u)));
    $effect(() => {
      if (!this.held) untrack(() => this.release());
    });
  }

  /** Shows what waited. */
  release(): void {
    if (this.waiting.length === 0) return;
    this.rows = mergeRows(this.rows, this.waiting);
    this.waiting = [];
  }

  togglePause(): void {
    this.paused = !this.paused;
    notices.announce(this.paused ? 'Tail paused' : 'Tail running');
  }

  retry(): void {
    void this.query.load(this.#request({ limit: PAGE }, time.range), { replace: true });
  }

  clear(): void {
    route.set({ q: null });
  }

  /** Asks for older rows. */
  async loadMore(): Promise<void> {
    const last = this.rows[this.rows.length - 1];
    if (!last || !this.more || this.loadingMore) return;
    this.loadingMore = true;
    const scope = this.#scope;
    try {
      const page = await backend().call('events', this.#request({ limit: PAGE, beforeRow: last.row }, time.range));
      if (scope !== this.#scope) return;
      this.rows = mergeRows(this.rows, page.rows, Number.POSITIVE_INFINITY);
      this.#complete = page.rows.length < PAGE;
    } catch (thrown) {
      notices.error('Loading older events failed', thrown);
    } finally {
      this.loadingMore = false;
    }
  }

  /** Looks further back than the bound of one question. */
  async lookFurther(): Promise<void> {
    const untilAt = this.stoppedAt;
    if (untilAt === null || this.loadingMore) return;
    this.loadingMore = true;
    const scope = this.#scope;
    try {
      const page = await backend().call('events', this.#request({ limit: PAGE }, { sinceAt: time.range.sinceAt, untilAt }));
      if (scope !== this.#scope) return;
      this.rows = mergeRows(this.rows, page.rows, Number.POSITIVE_INFINITY);
      this.stoppedAt = page.stoppedAt;
    } catch (thrown) {
      notices.error('Looking further back failed', thrown);
    } finally {
      this.loadingMore = false;
    }
  }

  #restart(): void {
    this.#first = true;
    this.#complete = false;
    this.waiting = [];
    this.skipped = 0;
  }

  #request(more: Partial<EventsRequest>, range: EventsRequest['range']): EventsRequest {
    return { range, filter: this.filter === '' ? null : this.filter, limit: PAGE, beforeRow: null, afterRow: null, ...more };
  }

  #take(page: EventsPage): void {
    if (this.#first) {
      this.#first = false;
      this.rows = mergeRows([], page.rows);
      this.stoppedAt = page.stoppedAt;
      this.#complete = page.rows.length < PAGE;
      return;
    }
    this.#add(page.rows);
  }

  #add(rows: EventRow[]): void {
    if (this.held) {
      const held = holdRows(this.rows, this.waiting, rows);
      this.rows = held.rows;
      // Older rows that were not loaded yet are not "newer": they come by scrolling.
      const newest = held.rows[0]?.row ?? Number.NEGATIVE_INFINITY;
      this.waiting = held.waiting.filter((row) => row.row > newest);
    } else {
      this.rows = mergeRows(this.rows, rows);
    }
  }

  #pushed(u: Update): void {
    if (u.type !== 'events' || !time.live || !this.shown || this.#first) return;
    // What a filter means is the studio's affair: it is asked for what came, one question at a time.
    if (this.filtered) {
      void this.#ask();
      return;
    }
    this.skipped += u.skipped;
    this.#add(u.rows);
  }

  #asking = false;
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const scope = this.#scope;
    const newest = Math.max(0, this.rows[0]?.row ?? 0, this.waiting[0]?.row ?? 0);
    try {
      const page = await backend().call('events', this.#request({ limit: PAGE, afterRow: newest }, { sinceAt: null, untilAt: null }));
      if (scope === this.#scope) this.#add(page.rows);
    } catch {
      // The next beat asks for the head again and reports what is wrong.
    } finally {
      this.#asking = false;
    }
  }
}
