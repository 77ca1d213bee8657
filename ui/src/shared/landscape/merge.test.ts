import { describe, expect, it } from 'vitest';
import type { Edge, Node, TopologyView } from '../../lib/bindings';
import { merge, withoutFolds } from './merge';
import { foldParam, foldedDomains, selectedIds, selectionParams } from './params';

function node(id: string, count = 1): Node {
  return {
    id, name: id, kind: 'service', system: null, namespace: null, environment: null, layer: 'system', layerReason: '', layerSource: 'name', domain: null, owner: null,
    figures: { count, errors: 0, rate: 1, p50Ms: 1, p95Ms: 2 }, health: 'healthy', instrumented: true, consumers: null, members: [], spark: [], sparkErrors: [], x: 10, y: 20, width: 148, height: 64,
  };
}

function edge(id: string): Edge {
  return { id, source: 'a', target: 'b', kind: 'call', figures: { count: 1, errors: 0, rate: 1, p50Ms: 1, p95Ms: 2 }, health: 'healthy', waypoints: [] };
}

function view(part: Partial<TopologyView>): TopologyView {
  return { revision: 1, full: true, nodes: [], edges: [], removedNodes: [], removedEdges: [], bands: [], width: 0, height: 0, unresolved: [], quiet: [], noise: 0, hidden: [], domains: [], nearest: { beforeAt: null, afterAt: null }, ...part };
}

const full = merge(null, view({ nodes: [node('a'), node('b')], edges: [edge('a→b')] }), 0, 1000);

describe('merge', () => {
  it('takes a full answer as everything', () => {
    const next = merge(full, view({ revision: 7, nodes: [node('c')] }), 5, 1000);
    expect([...next.nodes.keys()]).toEqual(['c']);
    expect(next.edges.size).toBe(0);
    expect(next.revision).toBe(7);
  });

  it('changes by id and keeps the identity of what did not change', () => {
    const next = merge(full, view({ full: false, nodes: [node('b', 9)] }), 5, 1000);
    expect(next.nodes.get('b')?.figures.count).toBe(9);
    expect(next.nodes.get('a')).toBe(full.nodes.get('a'));
    expect([...next.nodes.keys()]).toEqual(['a', 'b']);
  });

  it('adds what is new behind what is known', () => {
    const next = merge(full, view({ full: false, nodes: [node('0')] }), 5, 1000);
    expect([...next.nodes.keys()]).toEqual(['a', 'b', '0']);
  });

  it('greys what is gone, in place, until the range has passed', () => {
    const gone = merge(full, view({ full: false, removedNodes: ['a'], removedEdges: ['a→b'] }), 100, 1000);
    expect(gone.nodes.get('a')).toMatchObject({ goneAt: 100, x: 10, y: 20 });
    expect(gone.edges.get('a→b')?.goneAt).toBe(100);
    const still = merge(gone, view({ full: false, removedNodes: ['a'] }), 1099, 1000);
    expect(still.nodes.get('a')?.goneAt).toBe(100);
    expect(merge(still, view({ full: false }), 1100, 1000).nodes.has('a')).toBe(false);
  });

  it('keeps no ghost of a guess that turned out to be somebody else', () => {
    const guess = merge(null, view({ nodes: [{ ...node('a'), instrumented: false }, node('b')], edges: [edge('a→b')] }), 0, 1000);
    const gone = merge(guess, view({ full: false, removedNodes: ['a'], removedEdges: ['a→b'] }), 100, 1000);
    expect([...gone.nodes.keys()]).toEqual(['b']);
    expect(gone.edges.size).toBe(0);
  });

  it('keeps no ghost of what lives on under another id', () => {
    const next = merge(full, view({ full: false, nodes: [{ ...node('a@prod'), name: 'a' }], removedNodes: ['a'] }), 100, 1000);
    expect([...next.nodes.keys()]).toEqual(['b', 'a@prod']);
  });

  it('revives what is seen again', () => {
    const gone = merge(full, view({ full: false, removedNodes: ['a'] }), 100, 1000);
    expect(merge(gone, view({ full: false, nodes: [node('a', 4)] }), 200, 1000).nodes.get('a')).toMatchObject({ goneAt: null, figures: { count: 4 } });
  });

  it('takes a difference without a known map as all there is', () => {
    expect([...merge(null, view({ full: false, nodes: [node('a')] }), 0, 1000).nodes.keys()]).toEqual(['a']);
  });

  it('keeps what a window inside a range lacks, greyed, however the answer comes', () => {
    const next = merge(full, view({ revision: 3, nodes: [node('a', 5)] }), 9, Number.POSITIVE_INFINITY, true);
    expect([...next.nodes.values()].map(({ id, goneAt, figures }) => [id, goneAt, figures.count])).toEqual([['a', null, 5], ['b', 9, 1]]);
    expect(next.edges.get('a→b')?.goneAt).toBe(9);
    const back = merge(next, view({ revision: 4, nodes: [node('a'), node('b')], edges: [edge('a→b')] }), 12, Number.POSITIVE_INFINITY, true);
    expect([...back.nodes.values()].every(({ goneAt }) => goneAt === null)).toBe(true);
  });

  it('leaves no ghosts of cards that stand behind another one', () => {
    const members = [{ id: 'a', name: 'a', kind: 'service', health: 'healthy', figures: node('a').figures }];
    const folded = merge(full, view({ full: false, revision: 5, nodes: [{ ...node('g'), kind: 'group', members }], removedNodes: ['a'], removedEdges: ['a→b'] }), 20, 1000);
    expect([...withoutFolds(folded).nodes.keys()]).toEqual(['b', 'g']);
    const opened = merge(folded, view({ full: false, revision: 6, nodes: [node('a')], removedNodes: ['g'] }), 21, 1000);
    expect([...withoutFolds(opened).nodes.keys()]).toEqual(['a', 'b']);
  });
});

describe('the address', () => {
  it('keeps selection and folded domains', () => {
    const ids = ['service:a,b', 'topic:nats/x y', 'c'];
    const { sel, also } = selectionParams(ids);
    expect([...selectedIds({ sel: sel!, also: also! })]).toEqual(ids);
    expect(selectionParams([])).toEqual({ sel: null, also: null });
    expect(foldedDomains(foldParam(['a,b', 'c']))).toEqual(['a,b', 'c']);
    expect([foldedDomains(null), foldedDomains(foldParam([]))]).toEqual([null, []]);
    expect([...selectedIds({ also: '%' })]).toEqual(['%']);
  });
});
