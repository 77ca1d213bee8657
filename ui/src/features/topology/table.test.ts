import { describe, expect, it } from 'vitest';
import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import type { Bounds } from './camera.svelte';
import { scaleFor } from './export';
import { Space } from './space';
import { sumOf } from './sum';
import { csvOf, rowsOf, sorted } from './table';

function node(id: string, count: number, errors: number, part: Partial<MapNode> = {}): MapNode {
  return {
    id, name: id, kind: 'service', system: null, namespace: null, environment: null, layer: 'system', layerReason: '', layerSource: 'name', domain: null, owner: null,
    figures: { count, errors, rate: count / 10, p50Ms: null, p95Ms: count === 0 ? null : count }, health: errors > 0 ? 'failing' : 'healthy', instrumented: true, consumers: null, members: [],
    spark: [], sparkErrors: [], x: count, y: 0, width: 10, height: 10, goneAt: null, ...part,
  };
}
const edge = (source: string, target: string): MapEdge => ({ id: `${source}→${target}`, source, target, kind: 'call', figures: { count: 3, errors: 0, rate: 1, p50Ms: 1, p95Ms: 2 }, health: 'healthy', waypoints: [], goneAt: null });

const nodes = [node('a', 100, 0), node('b', 20, 5, { owner: 'Team "B", east' }), node('c', 0, 0), node('=d', 7, 0), node('gone', 9, 0, { goneAt: 4 })];
const edges = [edge('a', 'b'), edge('b', 'c')];

describe('the table of the map', () => {
  const rows = rowsOf(nodes, edges, (id) => id);
  it('has every participant and interaction that is there', () => {
    expect(rows.map((row) => [row.type, row.name, row.target])).toEqual([['participant', 'a', ''], ['participant', 'b', ''], ['participant', 'c', ''], ['participant', '=d', ''], ['interaction', 'a', 'b'], ['interaction', 'b', 'c']]);
  });
  it('sorts by share of errors, by health, and unknown times last in both directions', () => {
    const names = (by: Parameters<typeof sorted>[1], down: boolean) => sorted(rows.filter((row) => row.type === 'participant'), by, down).map((row) => row.name);
    expect(names('errors', true)[0]).toBe('b');
    expect(names('health', true)[0]).toBe('b');
    expect([names('p95', true).at(-1), names('p95', false).at(-1)]).toEqual(['c', 'c']);
    expect(names('name', false)).toEqual(['=d', 'a', 'b', 'c']);
  });
  it('is CSV that a spreadsheet reads and does not run', () => {
    const csv = csvOf(rows).split('\r\n');
    expect(csv[0]).toBe('type,name,target,layer,kind,rate_per_second,count,errors,p50_ms,p95_ms,health,owner,domain');
    expect(csv[2]).toBe('participant,b,,System,service,2,20,5,,20,failing,"Team ""B"", east",');
    expect(csv[4]).toContain("'=d");
    expect(csv).toHaveLength(8);
  });
});

describe('several at once', () => {
  it('add up, with what passes among and around them', () => {
    expect(sumOf(nodes.slice(0, 2), edges)).toEqual({ count: 120, errors: 5, rate: 12, inner: 1, outer: 1, health: [['failing', 1], ['healthy', 1]] });
  });
  it('are those that the rectangle touches', () => {
    const touched = (box: Bounds) => Space.of(nodes).within(box).map((node) => node.id);
    expect(touched({ x: 16, y: -20, width: 8, height: 40 })).toEqual(['b']);
    expect(touched({ x: 0, y: 6, width: 500, height: 1 })).toEqual([]);
  });
});

describe('pictures', () => {
  it('are twice as sharp, as far as browsers take them', () => {
    expect(scaleFor(1600, 1000)).toBe(2);
    expect(scaleFor(20_000, 1000)).toBeCloseTo(0.8);
    expect(scaleFor(9_000, 9_000) ** 2 * 81_000_000).toBeLessThanOrEqual(60_000_001);
  });
});
