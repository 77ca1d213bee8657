import { describe, expect, it } from 'vitest';
import type { FindingEvidence, ImpactHit } from '../../lib/bindings';
import { evidenceName, nextAskMs, placeOf, share, tabOf } from './findings';
import { layRadius } from './radius';

const span: FindingEvidence = { at: 0, trace: '0123456789abcdef0123456789abcdef', span: '0123456789abcdef', event: null, row: null };

describe('findings', () => {
  it('lead to the span or the event', () => {
    expect(placeOf(span)).toEqual({ area: 'journeys', params: { id: span.trace, span: span.span } });
    expect(placeOf({ ...span, trace: null, span: null, event: 'e-1', row: 7 })).toEqual({ area: 'events', params: { row: '7' } });
    expect(evidenceName(span)).toBe('01234567');
  });

  it('fall back to the open ones', () => {
    expect([tabOf(null), tabOf('waived'), tabOf('x')]).toEqual(['open', 'waived', 'open']);
  });

  it('are not judged without a pause', () => {
    expect([nextAskMs(100), nextAskMs(9000)]).toEqual([15_000, 90_000]);
  });

  it('have shares people can read', () => {
    expect([share(0), share(0.0004), share(0.004), share(0.424)]).toEqual(['0\u00a0%', '<0.1\u00a0%', '0.4\u00a0%', '42\u00a0%']);
  });
});

describe('the blast radius', () => {
  const who = (id: string) => ({ id, name: id, kind: 'service', layer: 'process', system: null });
  const hit = (id: string, via: string, hops: number): ImpactHit => ({ who: who(id), via, hops, share: 0.5, perHour: 1, verdict: 'fails', failures: 0, failedWith: 0 });

  it('puts every hop into a column and joins it to the one it fails by', () => {
    const laid = layRadius({ who: who('a'), hits: [hit('b', 'b', 1), hit('c', 'c', 1), hit('d', 'b', 2)], waits: [], users: [{ who: who('u'), share: 1, perHour: 2 }], share: 1, perHour: 2 }, 640);
    expect(laid.columns.map((column) => column.title)).toEqual(['Selected', '1 hop', '2 hops', 'Reaches']);
    expect(laid.cards.map((card) => [card.id, card.column])).toEqual([['a', 0], ['b', 1], ['c', 1], ['d', 2], ['u', 3]]);
    expect(laid.lines.map((line) => line.key)).toEqual(['a b', 'a c', 'b d', 'c u', 'd u']);
    const overlap = laid.cards.some((card) => laid.cards.some((other) => other !== card && other.x === card.x && Math.abs(other.y - card.y) < card.height));
    expect(overlap).toBe(false);
  });

  it('counts what it does not show', () => {
    const hits = Array.from({ length: 20 }, (_, i) => hit(`h${i}`, `h${i}`, 1));
    const laid = layRadius({ who: who('a'), hits, waits: [], users: [], share: 0, perHour: 0 }, 640);
    expect(laid.columns[1]?.more).toBe(12);
  });
});
