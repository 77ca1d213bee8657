import type { EventRow } from '../../lib/bindings';

/** Rows kept in the window; older ones are asked for again when scrolled to. */
export const RING = 10_000;

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
