import { untrack } from 'svelte';
import { backend } from '../../lib/backend';
import type { LogRow, LogsPage, LogsRequest, Range } from '../../lib/bindings';
import { withTerm } from '../../shared/filter/terms';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { mergeLines, unseen } from './merge';

const PAGE = 200;

/** Log lines of the range, newest first, and those that wait while someone reads. */
export class LogTail {
  /** The expression. */
  filter = $derived(route.param('q') ?? '');
  query = new Query('logs');
  rows = $state.raw<LogRow[]>([]);
  /** Newer lines held back. */
  waiting = $state.raw<LogRow[]>([]);
  /** Stopped by hand. */
  paused = $state(false);
  hovered = $state(false);
  away = $state(false);
  loadingMore = $state(false);
  more = $state(false);
  /** Down to where the studio looked, when it stopped. */
  stoppedAt = $state<number | null>(null);
  #newest: string | null = null;
  #asking = false;
  #scope = '';

  page = $derived<LogsPage | null>(this.query.data);
  loaded = $derived(this.query.data !== null || this.query.error !== null);
  held = $derived(this.paused || this.hovered || this.away);

  /** Keeps the lines up to date while `shown`; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      const [filter, range, env] = [this.filter, time.range, app.environment];
      untrack(() => {
        const scope = JSON.stringify([filter, env, time.choice]);
        const replace = scope !== this.#scope;
        this.#scope = scope;
        if (replace) {
          this.#newest = null;
          this.waiting = [];
          void this.query.load(this.#request({}, range), { replace: true });
        } else if (time.live) void this.#tail();
      });
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
    if (this.waiting.length === 0) return;
    this.rows = mergeLines(this.rows, this.waiting);
    this.waiting = [];
  }

  togglePause(): void {
    this.paused = !this.paused;
    notices.announce(this.paused ? 'Tail paused' : 'Tail running');
  }

  retry(): void {
    void this.query.load(this.#request({}, time.range), { replace: true });
  }

  /** Asks for older lines: the next page, or beyond where the studio stopped looking. */
  async loadMore(further = false): Promise<void> {
    const last = this.rows[this.rows.length - 1];
    if (this.loadingMore || (!further && (!this.more || !last || this.stoppedAt !== null))) return;
    this.loadingMore = true;
    const scope = this.#scope;
    const request = further ? this.#request({}, { sinceAt: time.range.sinceAt, untilAt: this.stoppedAt }) : this.#request({ before: last?.id ?? null }, time.range);
    try {
      const page = await backend().call('logs', request);
      if (scope !== this.#scope) return;
      this.rows = mergeLines(this.rows, page.rows, Number.POSITIVE_INFINITY);
      this.more = page.more;
      this.stoppedAt = page.stoppedAt;
    } catch (thrown) {
      notices.error('Loading older log lines failed', thrown);
    } finally {
      this.loadingMore = false;
    }
  }

  #request(more: Partial<LogsRequest>, range: Range): LogsRequest {
    const env = app.environment;
    const expr = env === null ? this.filter : withTerm(this.filter, 'env', env);
    return { range, filter: expr === '' ? null : expr, limit: PAGE, before: null, after: null, reveal: [], ...more };
  }

  #take(page: LogsPage): void {
    this.rows = page.rows;
    this.more = page.more;
    this.stoppedAt = page.stoppedAt;
    this.#newest = page.newest;
  }

  async #tail(): Promise<void> {
    if (this.#asking || this.#newest === null) return;
    this.#asking = true;
    const scope = this.#scope;
    try {
      const page = await backend().call('logs', this.#request({ after: this.#newest, limit: 500 }, { sinceAt: null, untilAt: null }));
      if (scope !== this.#scope) return;
      this.#newest = page.newest;
      const fresh = unseen(this.rows, page.rows);
      if (this.held) this.waiting = mergeLines(this.waiting, fresh);
      else this.rows = mergeLines(this.rows, fresh);
    } catch {
      // The next beat asks again; a lasting failure is said by the head of the list.
    } finally {
      this.#asking = false;
    }
  }
}
