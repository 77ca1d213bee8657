import type { JourneyRow, JourneysRequest, Range } from '../../lib/bindings';
import { withTerm } from '../../shared/filter/terms';

type Params = Record<string, string>;

/** Journeys asked for at once. */
export const PAGE = 100;

/** What the list shows, as the address has it. */
export interface JourneyFilter {
  /** An id or key that was looked for, whatever the time. */
  find: string | null;
  /** The expression. */
  q: string;
  /** Health checks and polls too. */
  noise: boolean;
}

/** Reads the filter from address parameters. */
export function filterOf(params: Params): JourneyFilter {
  return { find: params['find'] || null, q: params['q'] ?? '', noise: params['noise'] === '1' };
}

/** Parameters that clear every filter. */
export const NO_FILTER: Record<string, null> = { find: null, q: null };

/** Whether anything narrows the list. */
export function isFiltered(filter: JourneyFilter): boolean {
  return filter.find !== null || filter.q !== '';
}

/** The request for a filter; the environment is one more term. */
export function requestOf(filter: JourneyFilter, environment: string | null, range: Range, after: string | null): JourneysRequest {
  const expr = environment === null ? filter.q : withTerm(filter.q, 'env', environment);
  return { range, find: filter.find, filter: expr === '' ? null : expr, noise: filter.noise, limit: PAGE, after };
}

/** A duration as people type it: `2 s`, `500ms`, `1.5`, `2 min`; seconds without a unit. Null when it is none. */
export function parseDuration(text: string): number | null {
  const match = /^\s*(\d+(?:[.,]\d+)?)\s*(ms|s|sec|m|min|h)?\s*$/i.exec(text);
  if (!match) return null;
  const value = Number((match[1] ?? '').replace(',', '.'));
  const unit = { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 }[(match[2] ?? 's').toLowerCase()] ?? 1000;
  return value > 0 ? value * unit : null;
}

/** The same as the studio writes it: `2s`, `500ms`. */
export function durationTerm(ms: number): string {
  return ms >= 1000 && ms % 100 === 0 ? `${ms / 1000}s` : `${Math.round(ms * 1000) / 1000}ms`;
}

/** Newest first: the fresh head in front of what was loaded below it; nothing twice. */
export function mergeHead(rows: JourneyRow[], fresh: JourneyRow[]): JourneyRow[] {
  const last = fresh[fresh.length - 1];
  if (!last) return [];
  const ids = new Set(fresh.map((row) => row.id));
  return [...fresh, ...rows.filter((row) => !ids.has(row.id) && row.startAt <= last.startAt)];
}

/** The same rows in the same places with what is new about them, and how many newer ones wait. */
export function refreshInPlace(rows: JourneyRow[], fresh: JourneyRow[]): { rows: JourneyRow[]; waiting: number } {
  const byId = new Map(fresh.map((row) => [row.id, row]));
  const known = new Set(rows.map((row) => row.id));
  const newest = rows[0]?.startAt ?? Number.NEGATIVE_INFINITY;
  return { rows: rows.map((row) => byId.get(row.id) ?? row), waiting: fresh.filter((row) => !known.has(row.id) && row.startAt >= newest).length };
}

/** Appends an older page. */
export function appendPage(rows: JourneyRow[], older: JourneyRow[]): JourneyRow[] {
  const known = new Set(rows.map((row) => row.id));
  return [...rows, ...older.filter((row) => !known.has(row.id))];
}
