import type { EventRow } from '../../lib/bindings';

/** Rows kept in the window; older ones are asked for again when scrolled to. */
export const RING = 10_000;

/** `SYSTEM/NAME` of a row's destination. */
export function destinationId(row: EventRow): string {
  return `${row.system}/${row.destination}`;
}

/** Where a row of this number stands, or would: rows are newest (by number) first. */
function placeOf(rows: EventRow[], row: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.row ?? 0) > row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Each row once, the later word about it counts; newest first. */
function inOrder(rows: EventRow[]): EventRow[] {
  return [...new Map(rows.map((row) => [row.row, row])).values()].sort((a, b) => b.row - a.row);
}

/** Puts rows into the tail, which is in order: newest (by row number) first, each row once, the later word about it counts. */
export function mergeRows(rows: EventRow[], incoming: EventRow[], most = RING): EventRow[] {
  if (incoming.length === 0) return rows;
  const parts: EventRow[][] = [];
  let from = 0;
  for (const row of inOrder(incoming)) {
    const at = placeOf(rows, row.row);
    if (at > from) parts.push(rows.slice(from, at));
    parts.push([row]);
    from = rows[at]?.row === row.row ? at + 1 : at;
  }
  parts.push(rows.slice(from));
  const merged = parts.flat();
  return merged.length > most ? merged.slice(0, most) : merged;
}

/** What is shown while the tail stands still: known rows change in place, new ones wait. */
export function holdRows(rows: EventRow[], waiting: EventRow[], incoming: EventRow[]): { rows: EventRow[]; waiting: EventRow[] } {
  const places = incoming.map((row) => ({ row, at: placeOf(rows, row.row) }));
  const known = places.filter(({ row, at }) => rows[at]?.row === row.row);
  const fresh = places.filter(({ row, at }) => rows[at]?.row !== row.row).map(({ row }) => row);
  let shown = rows;
  if (known.length > 0) {
    shown = rows.slice();
    for (const { row, at } of known) shown[at] = row;
  }
  return { rows: shown, waiting: mergeRows(waiting, fresh) };
}
