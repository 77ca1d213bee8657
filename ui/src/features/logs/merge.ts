import type { LogRow } from '../../lib/bindings';

/** Lines kept in the window; older ones are asked for again when scrolled to. */
export const RING = 10_000;

/** Lines newest first, each once. */
export function mergeLines(rows: LogRow[], incoming: LogRow[], most = RING): LogRow[] {
  if (incoming.length === 0) return rows;
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of incoming) byId.set(row.id, row);
  const sorted = [...byId.values()].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  return sorted.length > most ? sorted.slice(0, most) : sorted;
}

/** Lines of a tail that are not shown yet. */
export function unseen(rows: LogRow[], incoming: LogRow[]): LogRow[] {
  const known = new Set(rows.map((row) => row.id));
  return incoming.filter((row) => !known.has(row.id));
}
