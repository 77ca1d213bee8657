import { describe, expect, it } from 'vitest';
import type { EraseReport } from '../../lib/bindings';
import { amount, covered, title } from './words';

const NOTHING: EraseReport = { journeys: 0, spans: 0, events: 0, logs: 0, firstAt: null, lastAt: null, about: false, done: false };

describe('what deleting says', () => {
  it('names every amount that is not zero', () => {
    expect(amount({ ...NOTHING, journeys: 2, spans: 14, events: 3, logs: 1 })).toBe('2 journeys: 14 spans, 3 events and 1 log record');
    expect(amount({ ...NOTHING, journeys: 1, spans: 5 })).toBe('1 journey: 5 spans');
    expect(amount({ ...NOTHING, events: 2, logs: 2 })).toBe('2 events and 2 log records');
    expect(amount(NOTHING)).toBe('nothing');
  });
  it('says when it was only where something was', () => {
    expect(covered(NOTHING)).toBeNull();
    expect(covered({ ...NOTHING, firstAt: 0, lastAt: 1000 })).toMatch(/^from .*1970 .* to /);
  });
  it('is called what it does', () => {
    expect(title({ what: 'journeys', journeys: ['a'] })).toBe('Delete this journey');
    expect(title({ what: 'journeys', journeys: ['a', 'b'] })).toBe('Delete 2 journeys');
    expect(title({ what: 'everything', journeys: [] })).toBe('Delete everything');
  });
});
