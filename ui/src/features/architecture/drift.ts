import type { DesignShape, DeviationView, DriftView } from '../../lib/bindings';
import type { Marked } from './designPicture';

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

/** What can be drawn of deviations: interactions between parts of the design, and parts that were not seen. */
export function marksOf(deviations: readonly DeviationView[], shape: DesignShape): Marked[] {
  const names = new Set(shape.participants.map((one) => one.name));
  const addresses = new Set(shape.channels.map((one) => one.address));
  const cardOf = (name: string) => (names.has(name) ? `participant ${name}` : addresses.has(name) ? `channel ${name}` : null);
  return deviations.flatMap((one): Marked[] => {
    const [source = '', target] = one.subject.split(' → ');
    const [from, to] = [cardOf(source), target === undefined ? null : cardOf(target)];
    const mark = one.kind === 'not-seen' ? 'designed' : 'observed';
    if (from === null || (target !== undefined && to === null)) return [];
    if (to === null) return mark === 'designed' ? [{ id: one.id, from, to, event: false, mark }] : [];
    return [{ id: one.id, from, to, event: from.startsWith('channel ') || to.startsWith('channel '), mark }];
  });
}
