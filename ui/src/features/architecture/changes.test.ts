import { describe, expect, it } from 'vitest';
import type { DifferenceRow } from '../../lib/bindings';
import { changePlace, changeTitle, sideFigure } from './changes';
import { rangeOf, rangeParam, rightBefore } from '../../shared/ranges/compare';

const who = (name: string) => ({ id: `service:${name}`, name, kind: 'service', layer: 'process', system: null });
const row = (patch: Partial<DifferenceRow>): DifferenceRow => ({ id: 'x', what: 'slower', kind: 'call', subject: [who('a'), who('b')], edge: null, operation: null, before: { count: 10, errors: 1, p50Ms: 10, p95Ms: 20 }, after: null, median: true, chance: '1 %', ...patch });

describe('changes', () => {
  it('says what changed, and where', () => {
    expect(changeTitle(row({}))).toBe('Slower');
    expect(changeTitle(row({ median: false }))).toBe('Slower, slow end only');
    expect(changePlace(row({}))).toBe('a → b');
    expect(changePlace(row({ kind: 'operation', subject: [who('a')], operation: 'GET /x' }))).toBe('a GET /x');
  });
  it('shows the figure that matters', () => {
    expect(sideFigure(row({}), 'before')).toBe('10\u00a0ms / 20\u00a0ms');
    expect(sideFigure(row({ what: 'more-errors' }), 'before')).toBe('10.0\u00a0%');
    expect(sideFigure(row({}), 'after')).toBe('–');
  });
  it('knows the range right before', () => {
    expect(rightBefore({ sinceAt: 100, untilAt: 150 })).toEqual({ sinceAt: 50, untilAt: 100 });
    expect(rightBefore({ sinceAt: null, untilAt: 150 })).toBeNull();
  });
  it('keeps ranges in addresses', () => {
    for (const range of [{ sinceAt: 5, untilAt: 9 }, { sinceAt: null, untilAt: 9 }, { sinceAt: 5, untilAt: null }]) expect(rangeOf(rangeParam(range))).toEqual(range);
    expect(rangeOf('x')).toBeNull();
  });
});
