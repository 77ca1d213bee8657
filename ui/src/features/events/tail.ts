import type { EventRow } from '../../lib/bindings';

/** What the tail shows. */
export interface TailFilter {
  /** `SYSTEM/NAME`. */
  destination: string | null;
  eventType: string | null;
  /** Needs the studio: it looks into payloads. */
  text: string | null;
  /** `failed`, `redelivered`, `unconsumed`. */
  outcome: string | null;
}

/** Rows kept in the window; older ones are asked for again when scrolled to. */
export const RING = 10_000;

/** Reads the filter from address parameters. */
export function tailFilterOf(params: Record<string, string>): TailFilter {
  return { destination: params['destination'] || null, eventType: params['type'] || null, text: params['text'] || null, outcome: params['outcome'] || null };
}

/** Whether a pushed row belongs into the tail, as far as the row itself tells (not the text). */
export function matches(row: EventRow, filter: TailFilter): boolean {
  if (filter.destination !== null && destinationId(row) !== filter.destination) return false;
  if (filter.eventType !== null && row.eventType !== filter.eventType) return false;
  return outcomeMatches(row.outcome, filter.outcome);
}

/** `SYSTEM/NAME` of a row's destination. */
export function destinationId(row: EventRow): string {
  return `${row.system}/${row.destination}`;
}

/** Puts rows into the tail: newest (by row number) first, each row once, the later word about it counts. */
export function mergeRows(rows: EventRow[], incoming: EventRow[], most = RING): EventRow[] {
  if (incoming.length === 0) return rows;
  const byRow = new Map<number, EventRow>(rows.map((row) => [row.row, row]));
  for (const row of incoming) byRow.set(row.row, row);
  const sorted = [...byRow.values()].sort((a, b) => b.row - a.row);
  return sorted.length > most ? sorted.slice(0, most) : sorted;
}

/** What is shown while the tail stands still: known rows change in place, new ones wait. */
export function holdRows(rows: EventRow[], waiting: EventRow[], incoming: EventRow[]): { rows: EventRow[]; waiting: EventRow[] } {
  const known = new Set(rows.map((row) => row.row));
  const byRow = new Map(incoming.filter((row) => known.has(row.row)).map((row) => [row.row, row]));
  return {
    rows: byRow.size === 0 ? rows : rows.map((row) => byRow.get(row.row) ?? row),
    waiting: mergeRows(waiting, incoming.filter((row) => !known.has(row.row))),
  };
}

function outcomeMatches(outcome: string, wanted: string | null): boolean {
  if (wanted === null) return true;
  if (wanted === 'failed') return /^(nak|terminated|dead-lettered|failed)/.test(outcome);
  if (wanted === 'redelivered') return outcome.startsWith('redelivered') || /#([2-9]|\d\d)/.test(outcome);
  return wanted === 'unconsumed' && outcome === 'no consumer';
}
