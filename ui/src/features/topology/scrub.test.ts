import { describe, expect, it } from 'vitest';
import { brushed, errorStarts, isWithin, seeked, spanOf, spanParam, windowLength } from './scrub';

const outer = { from: 0, to: 600_000 };

describe('the window of the scrubber', () => {
  it('is brushed in either direction and stays inside', () => {
    expect(brushed(outer, 300_000, 100_000)).toEqual({ from: 100_000, to: 300_000 });
    expect(brushed(outer, -50, 900_000)).toEqual(outer);
    expect(brushed(outer, 599_000, 600_000)).toEqual({ from: 590_000, to: 600_000 });
  });
  it('follows the playhead at its length, a tenth when nothing is brushed', () => {
    expect(windowLength(outer, null)).toBe(60_000);
    expect(seeked(outer, null, 200_000)).toEqual({ from: 140_000, to: 200_000 });
    expect(seeked(outer, { from: 0, to: 300_000 }, 100_000)).toEqual({ from: 0, to: 300_000 });
    expect(seeked(outer, { from: 0, to: 300_000 }, 900_000)).toEqual({ from: 300_000, to: 600_000 });
  });
  it('comes back from the address', () => {
    expect(spanOf(spanParam({ from: 1.4, to: 9.2 }))).toEqual({ from: 1, to: 10 });
    expect([spanOf(null), spanOf('9-1'), spanOf('x')]).toEqual([null, null, null]);
    expect(isWithin({ from: 10, to: 20 }, outer)).toBe(true);
    expect(isWithin(outer, outer)).toBe(false);
    expect(isWithin({ from: 10, to: 700_000 }, outer)).toBe(false);
  });
});

describe('errorStarts', () => {
  const bars = (errors: number[]) => ({ requests: errors.map((n, i) => ({ startAt: i, count: 100, errors: n, p95Ms: null })), events: [], bucketMs: 1 });
  it('marks the first failing bar of each run, not a lone error', () => {
    expect(errorStarts(bars([0, 1, 0, 40, 10, 0, 30, 0, 0, 0, 0, 7]))).toEqual([{ at: 3, share: 0.4 }, { at: 11, share: 0.07 }]);
    expect(errorStarts(bars([0, 0]))).toEqual([]);
  });
  it('keeps the gravest when there are many', () => {
    const many = bars([9, 0, 0, 0, 50, 0, 0, 0, 8, 0, 0, 0, 60]);
    expect(errorStarts(many, 2).map(({ at }) => at)).toEqual([4, 12]);
  });
});
