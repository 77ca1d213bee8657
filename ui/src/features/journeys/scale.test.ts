import { describe, expect, it } from 'vitest';
import { buildScale, gapLabel, niceStep, roomAfter, tickLabel, ticksOf, type Bar } from './scale';

const bar = (part: Bar['part'], startAt: number, endAt: number): Bar => ({ part, startAt, endAt });
const ORDER = [bar('sync', 0, 990), bar('sync', 40, 140), bar('event', 930, 930), bar('event', 3374, 3960), bar('redelivery', 34_020, 34_540)];

describe('buildScale', () => {
  it('gives each part a section and collapses the idle time between them', () => {
    const scale = buildScale(ORDER, 700);
    expect(scale.sections.map((section) => section.part)).toEqual(['sync', 'event', 'redelivery']);
    const gaps = scale.segments.filter((segment) => segment.kind === 'gap');
    expect(gaps).toHaveLength(2);
    expect(gaps.map((gap) => gapLabel(gap, true))).toEqual([expect.stringMatching(/^async gap 2\.3/), expect.stringMatching(/^redelivery backoff 30/)]);
    expect(gaps.every((gap) => gap.width === 32)).toBe(true);
  });

  it('is monotone, starts at 0 and ends at the width', () => {
    const scale = buildScale(ORDER, 700);
    const places = [0, 100, 990, 1500, 3374, 3960, 20_000, 34_020, 34_540].map((at) => scale.x(at));
    expect(places[0]).toBe(0);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(places.at(-1)).toBeCloseTo(scale.width, 3);
    expect(scale.width + scale.room).toBe(700);
  });

  it('has one scale per section', () => {
    const scale = buildScale([...ORDER, bar('redelivery', 64_000, 64_500)], 700);
    const again = scale.sections.find((section) => section.part === 'redelivery');
    const wide = (from: number, to: number) => (scale.x(to) - scale.x(from)) / (to - from);
    expect(wide(34_020, 34_540)).toBeCloseTo(wide(64_000, 64_500), 3);
    expect(wide(34_100, 34_200)).toBeCloseTo(again?.pxPerMs ?? 0, 6);
  });

  it('does not collapse short idle time', () => {
    const scale = buildScale([bar('sync', 0, 100), bar('event', 110, 200)], 600);
    expect(scale.segments.every((segment) => segment.kind === 'time')).toBe(true);
  });

  it('keeps deliveries that end while the caller waits in one section', () => {
    expect(buildScale([bar('sync', 0, 100), bar('event', 20, 60)], 600).sections.map((section) => section.part)).toEqual(['sync']);
    expect(buildScale([bar('event', 5, 5)], 600).sections).toHaveLength(1);
    expect(buildScale([], 600).x(5)).toBe(0);
  });
});

describe('ticks', () => {
  it('are in nice units and apart from each other', () => {
    const scale = buildScale(ORDER, 700);
    const ticks = ticksOf(scale);
    expect(ticks[0]).toEqual({ x: 0, label: '0' });
    expect(ticks.some((tick) => tick.label.endsWith(' s'))).toBe(true);
    ticks.slice(1).forEach((tick, i) => expect(tick.x - (ticks[i]?.x ?? 0)).toBeGreaterThan(40));
  });

  it('have no more digits than their step', () => {
    expect([niceStep(130), niceStep(220), niceStep(0.3), niceStep(5)]).toEqual([200, 250, 0.5, 5]);
    expect(tickLabel(250, 250)).toBe('250 ms');
    expect(tickLabel(3400, 200)).toBe('3.4 s');
    expect(tickLabel(1250, 250)).toBe('1.25 s');
    expect(tickLabel(34_000, 1000)).toBe('34 s');
    expect(tickLabel(0.25, 0.05)).toBe('250 µs');
    expect(tickLabel(600_000, 60_000)).toBe('10 min');
  });
});

describe('roomAfter', () => {
  it('ends at the next gap', () => {
    const scale = buildScale(ORDER, 700);
    const gap = scale.segments.find((segment) => segment.kind === 'gap');
    expect(roomAfter(scale, 10)).toBe(gap?.x);
    expect(roomAfter(scale, 595)).toBe(700);
  });
});
