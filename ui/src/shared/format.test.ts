import { describe, expect, it } from 'vitest';
import { bytes, count, duration, middleEllipsis, percent, rate } from './format';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('figures', () => {
  it('writes rates in the unit that reads best', () => {
    expect([118.4, 9.6, 0.42, 0.05, 0.0005, 0.00001, 0, null].map(rate)).toEqual(['118/s', '9.6/s', '0.4/s', '3/min', '1.8/h', '<1/h', '0/s', '–']);
  });
  it('never calls a share that is not nothing 0.0 %', () => {
    expect([percent(0, 10), percent(1, 100_000), percent(314, 1000), percent(1, 0), percent(10, 10)].map(plain)).toEqual(['0.0 %', '<0.1 %', '31.4 %', '0.0 %', '100 %']);
  });
  it('writes durations', () => {
    expect([0.02, 0.84, 296.4, 1240, 61_000, 3_700_000, null].map((ms) => plain(duration(ms)))).toEqual(['20 µs', '0.8 ms', '296 ms', '1.24 s', '1 min 1 s', '1 h 2 min', '–']);
  });
  it('shortens counts and bytes', () => {
    expect([9812, 48_812, 1_200_000].map((n) => plain(count(n)))).toEqual(['9,812', '48.8 k', '1.2 M']);
    expect([812, 48_000, 2_100_000_000].map((n) => plain(bytes(n)))).toEqual(['812 B', '48 KB', '2.1 GB']);
  });
  it('keeps the end of long names', () => {
    expect(middleEllipsis('web-orders-exp-api', 12)).toBe('web-…exp-api');
    expect(middleEllipsis('short', 12)).toBe('short');
  });
});
