import { untrack } from 'svelte';
import { backend } from '../../lib/backend';
import type { JourneyRow, JourneysPage } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { appendPage, filterOf, isFiltered, mergeHead, NO_FILTER, PAGE, refreshInPlace, requestOf, type JourneyFilter } from './filters';

/** The list of journeys: filter, rows, and newer rows that wait while someone reads. */
export class JourneyList {
  filter = $derived<JourneyFilter>(filterOf(route.params));
  filtered = $derived(isFiltered(this.filter));
  query = new Query('journeys');
  rows = $state.raw<JourneyRow[]>([]);
  /** Newer rows held back. */
  waiting = $state(0);
  /** Pointer over the list, or scrolled away from the top. */
  hovered = $state(false);
  away = $state(false);
  loadingMore = $state(false);
  /** Down to where the studio looked, when it stopped. */
  stoppedAt = $state<number | null>(null);
  #complete = $state(false);
  #scope = '';
  #taken: JourneysPage | null = null;

  page = $derived<JourneysPage | null>(this.query.data);
  loaded = $derived(this.query.data !== null || this.query.error !== null);
  held = $derived(this.hovered || this.away);
  more = $derived(!this.#complete && this.rows.length > 0 && this.rows.length < (this.page?.total ?? 0));

  /** Keeps the list up to date; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      const [filter, range, env] = [this.filter, time.range, app.environment];
      untrack(() => this.#ask(filter, JSON.stringify([filter, env, time.choice]), requestOf(filter, env, range, null)));
    });
    $effect(() => {
      const page = this.query.data;
      if (page) untrack(() => this.#take(page));
    });
    $effect(() => {
      if (!this.held) untrack(() => this.release());
    });
  }

  /** Shows what waited. */
  release(): void {
    if (this.waiting === 0 || !this.#taken) return;
    this.rows = mergeHead(this.rows, this.#taken.rows);
    this.waiting = 0;
  }

  retry(): void {
    void this.query.load(requestOf(this.filter, app.environment, time.range, null), { replace: true });
  }

  /** Asks for older ones. */
  async loadMore(): Promise<void> {
    const last = this.rows[this.rows.length - 1];
    if (!last || !this.more || this.loadingMore || this.filter.find !== null) return;
    this.loadingMore = true;
    const scope = this.#scope;
    try {
      const page = await backend().call('journeys', requestOf(this.filter, app.environment, time.range, last.id));
      if (scope !== this.#scope) return;
      this.rows = appendPage(this.rows, page.rows);
      this.#complete = page.rows.length < PAGE;
    } catch (thrown) {
      notices.error('Loading older journeys failed', thrown);
    } finally {
      this.loadingMore = false;
    }
  }

  /** Looks further back than the bound of one question. */
  async lookFurther(): Promise<void> {
    const stoppedAt = this.stoppedAt;
    if (stoppedAt === null || this.loadingMore) return;
    this.loadingMore = true;
    const scope = this.#scope;
    try {
      const range = { sinceAt: time.range.sinceAt, untilAt: stoppedAt };
      const page = await backend().call('journeys', requestOf(this.filter, app.environment, range, null));
      if (scope !== this.#scope) return;
      this.rows = appendPage(this.rows, page.rows);
      this.stoppedAt = page.stoppedAt;
    } catch (thrown) {
      notices.error('Looking further back failed', thrown);
    } finally {
      this.loadingMore = false;
    }
  }

  /** Replaces the expression; what was found by id gives way. */
  filterBy(q: string): void {
    route.set({ q, find: null });
  }

  /** Changes the filter. */
  set(patch: Record<string, string | null>): void {
    route.set(patch);
  }

  clear(): void {
    route.set(NO_FILTER);
  }

  #ask(filter: JourneyFilter, scope: string, request: Parameters<Query<'journeys'>['load']>[0]): void {
    const replace = scope !== this.#scope;
    // What was found by id or key does not move with time.
    if (!replace && filter.find !== null && this.query.data) return;
    this.#scope = scope;
    if (replace) {
      this.#taken = null;
      this.#complete = false;
      this.waiting = 0;
    }
    void this.query.load(request, { replace });
  }

  #take(page: JourneysPage): void {
    const first = this.#taken === null;
    this.#taken = page;
    if (first) {
      this.rows = page.rows;
      this.stoppedAt = page.stoppedAt;
    } else if (this.held) {
      const { rows, waiting } = refreshInPlace(this.rows, page.rows);
      this.rows = rows;
      this.waiting = waiting;
    } else {
      this.rows = mergeHead(this.rows, page.rows);
      this.waiting = 0;
    }
  }
}
