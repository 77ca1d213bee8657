import { describe, expect, it } from 'vitest';
import { choiceForImports, choiceOf, labelOf, paramsOf, rangeAt, stepped, type Choice } from './range';
import { patched } from './url';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

describe('time range', () => {
  it('is the last quarter of an hour, live, unless told otherwise', () => {
    expect(choiceOf({})).toEqual({ kind: 'last', live: true, preset: '15m' });
    expect(choiceOf({ range: 'nonsense' })).toEqual({ kind: 'last', live: true, preset: '15m' });
    expect(rangeAt(choiceOf({}), NOW)).toEqual({ sinceAt: NOW - 900_000, untilAt: NOW });
  });
  it('moves with the clock while live and stays while fixed', () => {
    const fixed: Choice = { kind: 'fixed', live: false, from: 10, to: 20 };
    expect(rangeAt({ kind: 'last', live: true, preset: '5m' }, NOW + 1000).untilAt).toBe(NOW + 1000);
    expect(rangeAt(fixed, NOW)).toEqual(rangeAt(fixed, NOW + 1000));
  });
  it('is open on both sides for everything', () => {
    expect(rangeAt({ kind: 'last', live: true, preset: 'all' }, NOW)).toEqual({ sinceAt: null, untilAt: null });
  });
  it.each<Choice>([
    { kind: 'last', live: true, preset: '7d' },
    { kind: 'last', live: true, preset: '60m' },
    { kind: 'fixed', live: false, from: 1000, to: 2000 },
    { kind: 'fixed', live: false, from: null, to: 2000 },
    { kind: 'fixed', live: false, from: null, to: null },
    { kind: 'marks', live: true, since: 'From 14:03:22', until: null },
    { kind: 'marks', live: false, since: 'before & after', until: 'deploy' },
    { kind: 'marks', live: false, since: null, until: 'deploy' },
  ])('survives the address: %j', (choice) => {
    expect(choiceOf(patched({}, paramsOf(choice)))).toEqual(choice);
  });
  it('keeps the length in the address while fixed, so that LIVE finds it again', () => {
    const params = patched({ range: '6h' }, paramsOf({ kind: 'fixed', live: false, from: 1, to: 2 }));
    expect(params['range']).toBe('6h');
    expect(choiceOf(patched(params, paramsOf({ kind: 'last', live: true, preset: '6h' })))).toEqual({ kind: 'last', live: true, preset: '6h' });
  });
  it('shows an import with a little air', () => {
    // In whole steps of 10 s: the map counts a step when it begins in the range.
    const fixed = (from: number, to: number) => ({ kind: 'fixed', live: false, from, to });
    expect(choiceForImports([{ firstAt: NOW, lastAt: NOW + 100_000 }])).toEqual(fixed(NOW - 10_000, NOW + 110_000));
    expect(choiceForImports([{ firstAt: NOW + 3000, lastAt: NOW + 3000 }])).toEqual(fixed(NOW, NOW + 10_000));
    // Files dropped together are shown together.
    expect(choiceForImports([{ firstAt: NOW, lastAt: NOW }, { firstAt: null, lastAt: null }, { firstAt: NOW - 60_000, lastAt: NOW - 60_000 }])).toEqual(fixed(NOW - 70_000, NOW + 10_000));
    expect(choiceForImports([{ firstAt: null, lastAt: null }])).toBeNull();
  });
  it('names the day when it is not today', () => {
    expect(labelOf({ kind: 'last', live: true, preset: '24h' }, NOW)).toBe('Last 24 h');
    expect(labelOf({ kind: 'fixed', live: false, from: NOW - 5 * 86_400_000, to: NOW - 5 * 86_400_000 + 3_600_000 }, NOW)).toContain('18 Nov');
    expect(labelOf({ kind: 'fixed', live: false, from: null, to: null }, NOW)).toBe('Everything');
  });
  it('means what the marks of the workspace say, and leaves a side open whose mark is gone', () => {
    const at = (name: string) => (name === 'deploy' ? NOW - 500 : null);
    expect(rangeAt({ kind: 'marks', live: true, since: 'deploy', until: null }, NOW, at)).toEqual({ sinceAt: NOW - 500, untilAt: null });
    expect(rangeAt({ kind: 'marks', live: false, since: 'gone', until: 'deploy' }, NOW, at)).toEqual({ sinceAt: null, untilAt: NOW - 500 });
    expect(labelOf({ kind: 'marks', live: true, since: 'deploy', until: null }, NOW)).toBe('since deploy');
  });
  it('finds a mark again after LIVE was off', () => {
    const frozen = patched({ since: 'deploy' }, paramsOf({ kind: 'fixed', live: false, from: 1, to: 2 }));
    expect(choiceOf(frozen).kind).toBe('fixed');
    expect(choiceOf(patched(frozen, paramsOf({ kind: 'marks', live: true, since: 'deploy', until: null })))).toEqual({ kind: 'marks', live: true, since: 'deploy', until: null });
    expect(patched(frozen, paramsOf({ kind: 'last', live: true, preset: '6h' }))).toEqual({ range: '6h' });
  });
  it('steps by its own length, and is LIVE again beyond now', () => {
    expect(stepped({ sinceAt: NOW - 100, untilAt: NOW }, -1, NOW)).toEqual({ kind: 'fixed', live: false, from: NOW - 200, to: NOW - 100 });
    expect(stepped({ sinceAt: NOW - 300, untilAt: NOW - 200 }, 1, NOW)).toEqual({ kind: 'fixed', live: false, from: NOW - 200, to: NOW - 100 });
    expect(stepped({ sinceAt: NOW - 100, untilAt: NOW }, 1, NOW)).toBe('live');
    expect(stepped({ sinceAt: null, untilAt: null }, -1, NOW)).toBeNull();
  });
});
