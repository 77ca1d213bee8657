import type { DeviationView, DriftView } from '../../lib/bindings';

/** The mark of a kind of deviation, as the map's health marks. */
export function deviationMark(kind: string): 'failing' | 'degraded' | 'quiet' {
  if (kind === 'other-style' || kind === 'broken-schema') return 'failing';
  return kind === 'not-seen' ? 'quiet' : 'degraded';
}

/** Open deviations, and those somebody decided to keep. */
export function apartKept(view: DriftView | null): { open: DeviationView[]; kept: DeviationView[] } {
  const all = view?.deviations ?? [];
  return { open: all.filter((one) => one.kept === null), kept: all.filter((one) => one.kept !== null) };
}

/** Deviations by kind, in the order they come in. */
export function byKind(all: readonly DeviationView[]): { title: string; rows: DeviationView[] }[] {
  const groups = new Map<string, DeviationView[]>();
  for (const one of all) groups.set(one.title, [...(groups.get(one.title) ?? []), one]);
  return [...groups].map(([title, rows]) => ({ title, rows }));
}
