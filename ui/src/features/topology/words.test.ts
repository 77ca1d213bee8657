import { describe, expect, it } from 'vitest';
import { failingRun } from './words';

const bucket = (startAt: number, count: number, errors: number) => ({ startAt, count, errors, p95Ms: null });

describe('failingRun', () => {
  it('finds when the newest failures began and how it was before', () => {
    expect(failingRun([bucket(0, 100, 1), bucket(10, 100, 0), bucket(20, 100, 40), bucket(30, 0, 0), bucket(40, 10, 5)])).toEqual({ sinceAt: 20, whole: false, before: 1 / 200 });
  });
  it('says when all of the range failed', () => {
    expect(failingRun([bucket(0, 10, 5), bucket(10, 10, 5)])).toEqual({ sinceAt: 0, whole: true, before: null });
  });
  it('finds nothing when the newest bucket is well', () => {
    expect(failingRun([bucket(0, 10, 5), bucket(10, 100, 0)])).toBeNull();
    expect(failingRun([])).toBeNull();
  });
});
