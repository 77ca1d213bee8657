import { describe, expect, it } from 'vitest';
import { durationTicks, pickBetween, pickOf, pickParam, plotOf, xOf, yOf } from './pick';

const points = [
  { at: 1000, ms: 10 },
  { at: 2000, ms: 100 },
  { at: 3000, ms: 1000 },
];

describe('points of the overview', () => {
  it('lie inside their plot, later ones further right and longer ones further up', () => {
    const plot = plotOf(points, 400, 200);
    const places = points.map((point) => [xOf(plot, point.at), yOf(plot, point.ms)]);
    expect(places[0]?.[0]).toBe(0);
    expect(places[2]?.[0]).toBe(400);
    expect(places.every(([, y]) => (y ?? -1) > 0 && (y ?? 999) < 200)).toBe(true);
    expect((places[0]?.[1] ?? 0) > (places[2]?.[1] ?? 0)).toBe(true);
    expect(durationTicks(plot)).toEqual([10, 100, 1000]);
  });

  it('are picked by a rectangle that survives the address', () => {
    const plot = plotOf(points, 400, 200);
    const pick = pickBetween(plot, { x: 300, y: 0 }, { x: 410, y: 100 });
    const inside = points.filter((p) => p.at >= pick.sinceAt && p.at < pick.untilAt && p.ms >= pick.lowMs && p.ms <= pick.highMs);
    expect(inside).toEqual([points[2]]);
    const again = pickOf(pickParam(pick));
    expect(again && again.sinceAt <= pick.sinceAt && again.untilAt >= pick.untilAt && again.lowMs <= pick.lowMs && again.highMs >= pick.highMs).toBe(true);
    expect(pickOf('1,2,3')).toBeNull();
    expect(pickOf('5,2,3,4')).toBeNull();
    expect(pickOf('a,b,c,d')).toBeNull();
  });

  it('need no point at all', () => {
    expect(durationTicks(plotOf([], 400, 200))).toEqual([1, 2, 5, 10]);
  });
});
