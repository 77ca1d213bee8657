import type { JourneyRow, JourneysRequest, Range } from '../../lib/bindings';

type Params = Record<string, string>;

/** Journeys asked for at once. */
export const PAGE = 100;

/** What the list shows, as the address has it. */
export interface JourneyFilter {
  find: string | null;
  text: string | null;
  states: string[];
  participant: string | null;
  slowerThanMs: number | null;
  retried: boolean;
  deadLettered: boolean;
}

/** Reads the filter from address parameters. */
export function filterOf(params: Params): JourneyFilter {
  const slower = Number(params['slower']);
  return {
    find: params['find'] || null,
    text: params['text'] || null,
    states: (params['state'] ?? '').split(',').filter((state) => state !== ''),
    participant: params['participant'] || null,
    slowerThanMs: slower > 0 ? slower : null,
    retried: params['retried'] === '1',
    deadLettered: params['dead'] === '1',
  };
}

/** Parameters that clear every filter. */
export const NO_FILTER: Record<string, null> = { find: null, text: null, state: null, participant: null, slower: null, retried: null, dead: null };

/** Whether anything narrows the list. */
export function isFiltered(filter: JourneyFilter): boolean {
  return filter.find !== null || filter.text !== null || filter.states.length > 0 || filter.participant !== null || filter.slowerThanMs !== null || filter.retried || filter.deadLettered;
}

/** The request for a filter. */
export function requestOf(filter: JourneyFilter, range: Range, after: string | null): JourneysRequest {
  return { range, filter: null, noise: false, ...filter, limit: PAGE, after };
}

/** A duration as people type it: `2 s`, `500ms`, `1.5`, `2 min`; seconds without a unit. Null when it is none. */
export function parseDuration(text: string): number | null {
  const match = /^\s*(\d+(?:[.,]\d+)?)\s*(ms|s|sec|m|min|h)?\s*$/i.exec(text);
  if (!match) return null;
  const value = Number((match[1] ?? '').replace(',', '.'));
  const unit = { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 }[(match[2] ?? 's').toLowerCase()] ?? 1000;
  return value > 0 ? value * unit : null;
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
