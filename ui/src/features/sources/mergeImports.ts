import type { ImportView } from '../../lib/bindings';

/** Imports as asked for and as pushed, newest first; a pushed state is never older than an asked one. */
export function mergeImports(asked: ImportView[], pushed: ImportView[]): ImportView[] {
  const byId = new Map(asked.map((view) => [view.id, view]));
  for (const view of pushed) byId.set(view.id, view);
  return [...byId.values()].sort((a, b) => b.id - a.id);
}
