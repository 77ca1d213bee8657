import { describe, expect, it } from 'vitest';
import { isEvent, routes, widthOf, type Box, type Line } from './geometry';
import { pillSize, placeLabels } from './labels';
import { neighbour } from './navigate';

const box = (id: string, x: number, y: number, kind = 'service'): Box => ({ id, kind, x, y, width: kind === 'topic' ? 128 : 148, height: kind === 'topic' ? 26 : 64 });
const map = (...boxes: Box[]) => new Map(boxes.map((b) => [b.id, b]));
const line = (source: string, target: string, kind = 'call', waypoints: Line['waypoints'] = []): Line => ({ id: `${source}>${target} ${kind}`, source, target, kind, waypoints });

describe('routes', () => {
  it('leaves and arrives at the sides that face each other', () => {
    const route = routes(map(box('left', 100, 100), box('right', 400, 100)), [line('right', 'left')]).get('right>left call')!;
    expect(route.head).toEqual({ x: 177, y: 100, dir: -1 });
    expect(route.tail).toEqual({ x: 323, y: 100, dir: 1 });
    expect(route.d).toContain('C');
  });

  it('spreads what meets on one side, in the order of where it comes from', () => {
    const all = routes(map(box('api', 100, 100), box('low', 400, 300), box('high', 400, 20)), [line('low', 'api'), line('high', 'api')]);
    const [low, high] = [all.get('low>api call')!.head.y, all.get('high>api call')!.head.y];
    expect(high).toBeLessThan(low);
    expect(high).toBeGreaterThan(100 - 32);
    expect(low).toBeLessThan(100 + 32);
  });

  it('draws events with right angles only, apart from rounded corners', () => {
    const route = routes(map(box('svc', 400, 300), box('t', 100, 100, 'topic')), [line('svc', 't', 'publish')]).get('svc>t publish')!;
    expect(route.d).toMatch(/^M[\d.,-]+(L[\d.,-]+|Q[\d.,-]+)+$/);
    for (let i = 1; i < route.along.length; i += 1) {
      const [p, q] = [route.along[i - 1]!, route.along[i]!];
      expect(Math.min(Math.abs(p.x - q.x), Math.abs(p.y - q.y))).toBeLessThan(0.001);
    }
  });

  it('keeps what comes into a topic apart from what goes out on the same side', () => {
    const all = routes(map(box('in', 400, 40), box('out', 400, 200), box('t', 100, 100, 'topic')), [line('in', 't', 'publish'), line('t', 'out', 'consume')]);
    expect(all.get('in>t publish')!.head.y).not.toBe(all.get('t>out consume')!.tail.y);
  });

  it('passes through its waypoints and goes around within a column', () => {
    const way = [{ x: 250, y: 180 }];
    const through = routes(map(box('a', 100, 100), box('b', 400, 100)), [line('b', 'a', 'call', way)]).get('b>a call')!;
    expect(through.along.some((p) => Math.hypot(p.x - 250, p.y - 180) < 0.01)).toBe(true);
    const around = routes(map(box('a', 100, 100), box('b', 100, 200)), [line('b', 'a')]).get('b>a call')!;
    expect(around.head.dir).toBe(-1);
    expect(Math.max(...around.along.map((p) => p.x))).toBeGreaterThan(100 + 74 + 20);
  });

  it('leaves out what has no end on the map, and gives the same drawing again', () => {
    const boxes = map(box('a', 100, 100), box('b', 400, 100));
    expect(routes(boxes, [line('a', 'nobody')]).size).toBe(0);
    expect(routes(boxes, [line('a', 'b')])).toEqual(routes(boxes, [line('a', 'b')]));
  });

  it('widens with the square root of the rate', () => {
    expect(widthOf(null)).toBe(1);
    expect(widthOf(17.64)).toBeCloseTo(2);
    expect(isEvent('access')).toBe(false);
  });
});

describe('placeLabels', () => {
  const along = Array.from({ length: 61 }, (_, i) => ({ x: i * 10, y: 0 }));
  const wanted = (id: string) => ({ id, text: '37 err/s', along, ...pillSize('37 err/s') });

  it('stands in the middle when nothing is there', () => {
    expect(placeLabels([wanted('a')], [])[0]).toMatchObject({ x: 300, y: 0 });
  });
  it('covers neither cards nor topics nor other labels', () => {
    const card = box('card', 200, 0);
    const topic = box('t', 60, 0, 'topic');
    const placed = placeLabels([wanted('a'), wanted('b')], [card, topic]);
    const areas = [...placed, card, topic];
    expect(placed).toHaveLength(2);
    for (const a of areas) {
      for (const b of areas) {
        if (a !== b) expect(Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2).toBe(true);
      }
    }
  });
  it('is left out where there is no room', () => {
    expect(placeLabels([wanted('a')], [{ x: 300, y: 0, width: 900, height: 200 }])).toEqual([]);
  });
  it('stands beside a line that it would hide', () => {
    const short = along.slice(0, 7);
    expect(placeLabels([{ ...wanted('a'), along: short }], [])[0]!.y).not.toBe(0);
  });
});

describe('neighbour', () => {
  const all = [box('sys1', 100, 50), box('sys2', 100, 150), box('prc', 400, 140), box('exp', 700, 50)];
  it('moves within the column and to the nearest of the next', () => {
    expect(neighbour(all, all[0]!, 'ArrowDown')?.id).toBe('sys2');
    expect(neighbour(all, all[0]!, 'ArrowUp')).toBeUndefined();
    expect(neighbour(all, all[1]!, 'ArrowRight')?.id).toBe('prc');
    expect(neighbour(all, all[2]!, 'ArrowLeft')?.id).toBe('sys2');
    expect(neighbour(all, all[2]!, 'ArrowRight')?.id).toBe('exp');
  });
});
