import { describe, expect, it } from 'vitest';
import { choiceForImport, choiceOf, labelOf, paramsOf, rangeAt, type Choice } from './range';
import { patched } from './url';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

describe('time range', () => {
  it('is the last quarter of an hour, live, unless told otherwise', () => {
    expect(choiceOf({})).toEqual({ live: true, preset: '15m' });
    expect(choiceOf({ range: 'nonsense' })).toEqual({ live: true, preset: '15m' });
    expect(rangeAt(choiceOf({}), NOW)).toEqual({ sinceAt: NOW - 900_000, untilAt: NOW });
  });
  it('moves with the clock while live and stays while fixed', () => {
    const fixed: Choice = { live: false, from: 10, to: 20 };
    expect(rangeAt({ live: true, preset: '5m' }, NOW + 1000).untilAt).toBe(NOW + 1000);
    expect(rangeAt(fixed, NOW)).toEqual(rangeAt(fixed, NOW + 1000));
  });
  it('is open on both sides for everything', () => {
    expect(rangeAt({ live: true, preset: 'all' }, NOW)).toEqual({ sinceAt: null, untilAt: null });
  });
  it.each<Choice>([
    { live: true, preset: '7d' },
    { live: true, preset: '60m' },
    { live: false, from: 1000, to: 2000 },
    { live: false, from: null, to: 2000 },
    { live: false, from: null, to: null },
  ])('survives the address: %j', (choice) => {
    expect(choiceOf(patched({}, paramsOf(choice)))).toEqual(choice);
  });
  it('keeps the length in the address while fixed, so that LIVE finds it again', () => {
    const params = patched({ range: '6h' }, paramsOf({ live: false, from: 1, to: 2 }));
    expect(params['range']).toBe('6h');
    expect(choiceOf(patched(params, paramsOf({ live: true, preset: '6h' })))).toEqual({ live: true, preset: '6h' });
  });
  it('shows an import with a little air', () => {
    const choice = choiceForImport({ firstAt: NOW, lastAt: NOW + 100_000 });
    expect(choice).toEqual({ live: false, from: NOW - 2000, to: NOW + 102_000 });
    expect(choiceForImport({ firstAt: NOW, lastAt: NOW })).toEqual({ live: false, from: NOW - 1000, to: NOW + 1000 });
    expect(choiceForImport({ firstAt: null, lastAt: null })).toBeNull();
  });
  it('names the day when it is not today', () => {
    expect(labelOf({ live: true, preset: '24h' }, NOW)).toBe('Last 24 h');
    expect(labelOf({ live: false, from: NOW - 5 * 86_400_000, to: NOW - 5 * 86_400_000 + 3_600_000 }, NOW)).toContain('18 Nov');
    expect(labelOf({ live: false, from: null, to: null }, NOW)).toBe('Everything');
  });
});
