import { describe, expect, it } from 'vitest';
import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import { routes } from './geometry';
import type { Ink } from './ink';
import { paint, rowsOf, type Context, type Subject, type View } from './paint';
import { covers } from './painter';
import { Space } from './space';

const figures = { count: 1, errors: 0, rate: 1, p50Ms: 1, p95Ms: 2 };
const node = (id: string, x: number, y: number, health = 'healthy') => ({ id, name: id, kind: 'service', layer: 'system', layerSource: 'name', instrumented: true, health, members: [], figures, x, y, width: 168, height: 72, goneAt: null }) as unknown as MapNode;
const edge = (source: string, target: string, health = 'healthy') => ({ id: `${source} → ${target} call`, source, target, kind: 'call', figures, health, waypoints: [], goneAt: null }) as MapEdge;

const ink = new Proxy({ layers: {} }, { get: (known, name) => (name in known ? known[name as keyof typeof known] : String(name)) }) as unknown as Ink;

/** A canvas that writes down with which colours it was filled and stroked, and what was written. */
function pad(): { context: Context; marks: string[] } {
  const marks: string[] = [];
  const state: Record<string, unknown> = {};
  const context = new Proxy(state, {
    get: (_, name) => {
      if (name === 'stroke') return () => marks.push(`stroke ${String(state['strokeStyle'])}`);
      if (name === 'fillText') return (text: string) => marks.push(`text ${text}`);
      return name in state ? state[String(name)] : () => undefined;
    },
    set: (_, name, value) => ((state[String(name)] = value), true),
  }) as unknown as Context;
  return { context, marks };
}

function painted(nodes: MapNode[], edges: MapEdge[], view: Partial<View> = {}): { marks: string[]; steps: number } {
  const { context, marks } = pad();
  const subject: Subject = {
    edges, nodes, bands: [], figures: [], routes: routes(new Map(nodes.map((n) => [n.id, n])), edges), named: 0.4, data: false,
    isFound: () => false, isMissed: () => false, isMissedLine: () => false, isWeak: () => false,
  };
  const steps = [...paint(context, { x: 0, y: 0, k: 1, width: 2000, height: 1000, ...view }, 1, subject, ink)].length;
  return { marks, steps };
}

describe('a painted map', () => {
  const nodes = [node('a', 100, 100), node('b', 500, 100), node('far', 100, 9000), node('away', 500, 9000)];

  it('paints what fails last, so that nothing lies over it', () => {
    const { marks } = painted([node('bad', 100, 300, 'failing'), ...nodes], [edge('bad', 'a', 'failing'), edge('b', 'a')]);
    const lines = marks.filter((mark) => mark === 'stroke failing' || mark === 'stroke call');
    expect(lines.slice(0, 2)).toEqual(['stroke call', 'stroke failing']);
    expect(marks.filter((mark) => mark.startsWith('text')).at(-1)).toBe('text bad');
  });

  it('leaves out what is not in view, and names from afar', () => {
    const { marks } = painted(nodes, [edge('b', 'a'), edge('away', 'far')]);
    expect(marks.filter((mark) => mark === 'stroke call')).toHaveLength(1);
    expect(marks.filter((mark) => mark.startsWith('text'))).toEqual(['text a', 'text b']);
    expect(painted(nodes, [], { k: 0.1 }).marks.some((mark) => mark.startsWith('text'))).toBe(false);
    expect(painted(nodes, [edge('away', 'far')], { k: 0.1 }).marks).toContain('stroke call');
  });

  it('gives way after a few lines and cards', () => {
    const many = Array.from({ length: 300 }, (_, i) => node(`n${i}`, 100 + (i % 10) * 180, 50 + Math.floor(i / 10) * 30));
    expect(painted(many, many.slice(1).map((n) => edge(n.id, 'n0'))).steps).toBeGreaterThan(20);
  });

  it('breaks names at a joint and shortens the last row', () => {
    expect(rowsOf('orders', 100, 2)).toEqual(['orders']);
    expect(rowsOf('customer-notification-service', 100, 2)).toEqual(['customer-', expect.stringContaining('…')]);
    expect(rowsOf('customer-notification-service', 100, 1)).toHaveLength(1);
  });

  it('needs a new picture when it is moved far, or at another scale', () => {
    const stand = { x: 0, y: 0, k: 1, width: 1000, height: 600 };
    expect(covers(stand, { ...stand, x: 100, y: -60 })).toBe(true);
    expect(covers(stand, { ...stand, x: 400 })).toBe(false);
    expect(covers(stand, { ...stand, k: 1.1 })).toBe(false);
    expect(covers(stand, { ...stand, width: 1200 })).toBe(false);
  });

  it('finds cards and lines by where they lie', () => {
    const cards = Space.of(nodes);
    expect(cards.around(110, 90, 0).map((n) => n.id)).toEqual(['a']);
    expect(cards.around(300, 90, 10)).toEqual([]);
    expect(cards.within({ x: 0, y: 0, width: 600, height: 200 }).map((n) => n.id).sort()).toEqual(['a', 'b']);
    const [route] = [...routes(new Map(nodes.map((n) => [n.id, n])), [edge('b', 'a')]).values()];
    expect(route!.distance(300, 104)).toBeCloseTo(4, 0);
  });
});
