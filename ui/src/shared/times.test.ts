import { afterEach, describe, expect, it } from 'vitest';
import { zone } from './state/zone.svelte';
import { bothTimes, clockMs, clockZone, dateTime, dayMinutes, fromInput, rfc3339, span, toInput, zoneName } from './times';

const AT = Date.UTC(2026, 10, 23, 12, 3, 22, 64);

describe('times', () => {
  afterEach(() => zone.setUtc(false));

  it('follow the switch to UTC and name their zone', () => {
    zone.setUtc(true);
    expect(clockZone(AT)).toBe('12:03:22 UTC');
    expect(clockMs(AT)).toBe('12:03:22.064');
    expect(dateTime(AT)).toBe('23 Nov 2026 12:03:22 UTC');
    expect(dayMinutes(AT)).toBe('23 Nov 12:03');
    expect(bothTimes(AT)).toBe('23 Nov 2026 12:03:22.064 UTC\n2026-11-23T12:03:22.064Z');
  });
  it('name the year of a range only where it is another one', () => {
    zone.setUtc(true);
    const later = AT + 3_600_000;
    expect(span(AT, later, AT + 86_400_000)).toBe('23 Nov 12:03 – 13:03');
    expect(span(AT, later, AT + 366 * 86_400_000)).toBe('23 Nov 2026 12:03 – 13:03');
  });
  it('are local otherwise, with the zone of this computer', () => {
    expect(zoneName(AT)).not.toBe('');
    expect(dateTime(AT).endsWith(` ${zoneName(AT)}`)).toBe(true);
    expect(bothTimes(AT)).toContain('2026-11-23T12:03:22.064Z');
  });
  it('are copied as RFC 3339, as precise as known, and name the same instant', () => {
    expect(rfc3339(AT, true)).toBe('2026-11-23T12:03:22.064Z');
    expect(rfc3339(AT + 0.125, true)).toBe('2026-11-23T12:03:22.064125Z');
    expect(rfc3339(AT + 0.9999, true)).toBe('2026-11-23T12:03:22.065Z');
    expect(Date.parse(rfc3339(AT, false))).toBe(AT);
    expect(rfc3339(AT, false)).toMatch(/[+-]\d\d:\d\d$/);
  });
  it.each([true, false])('survive an input field (UTC: %s)', (utc) => {
    zone.setUtc(utc);
    const whole = Math.floor(AT / 1000) * 1000;
    expect(fromInput(toInput(whole))).toBe(whole);
    expect(fromInput('')).toBeNull();
  });
});
