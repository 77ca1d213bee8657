import type { FactorView, TraitView } from '../../lib/bindings';
import { duration } from '../../shared/format';

const KINDS: Record<string, string> = {
  'first-failure': 'First failure',
  version: 'Version',
  'own-time': 'Time taken',
  participant: 'Participant',
  operation: 'Operation',
  'event-type': 'Event type',
  attribute: 'Attribute',
  resource: 'Resource',
  payload: 'Payload field',
};

/** What a trait is about, in a word. */
export function factorKind(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** A trait as people read it. */
export function traitName(what: TraitView): string {
  if (what.kind === 'own-time') return what.value === '' ? what.at : `${what.at} ${what.value}`;
  if (what.kind === 'version') return `${what.at} ${what.value}`;
  return what.name === '' || what.kind === 'participant' ? what.value : `${what.name} = ${what.value}`;
}

/** A factor as people read it: of times the value they begin at. */
export function factorName(factor: FactorView): string {
  const name = traitName(factor.what);
  return factor.fromMs === null ? name : `${name} took ${duration(factor.fromMs)} or more itself`;
}

/** Where a trait was seen, when its name does not say so. */
export function factorDetail(what: TraitView): string {
  return what.at === '' || what.kind === 'own-time' || what.kind === 'version' ? '' : `at ${what.at}`;
}

/** How likely it is that a difference is chance. */
export function chanceWord(chance: number): string {
  return chance < 0.001 ? 'p < 0.001' : `p = ${chance.toFixed(3)}`;
}

/** Factors by what they can explain. */
export function sections(factors: readonly FactorView[]): { id: string; title: string; factors: FactorView[] }[] {
  const of = (test: (factor: FactorView) => boolean) => factors.filter(test);
  return [
    { id: 'more', title: 'More frequent in these', factors: of((f) => f.effect > 0 && !f.followed) },
    { id: 'less', title: 'Rarer in these', factors: of((f) => f.effect <= 0) },
    { id: 'followed', title: 'Followed from the failure', factors: of((f) => f.effect > 0 && f.followed) },
  ].filter((section) => section.factors.length > 0);
}
