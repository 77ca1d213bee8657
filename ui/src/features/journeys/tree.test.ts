import { describe, expect, it } from 'vitest';
import type { Item } from '../../lib/bindings';
import { buildTree, nextError, type TreeOptions } from './tree';

const OPTIONS: TreeOptions = { collapsed: new Set(), unfolded: false, keep: new Set(), missing: 0, entryMissing: false };

function item(uid: string, role: string, parent: string | null, more: Partial<Item> = {}): Item {
  return {
    uid, type: role === 'event' ? 'event' : 'span', id: uid, traceId: 't', participant: `service:${uid}`, participantName: uid, layer: 'process', name: uid, role,
    startAt: 0, durationMs: 10, status: 'unset', depth: 0, parent, synchronous: true, critical: false, settledCritical: false, delivery: null, retry: null, badge: null, guessed: false, eventRow: null, ...more,
  };
}

const ORDER = [
  item('web', 'server', null),
  item('call', 'client', 'web', { participant: 'service:web', retry: 1, startAt: 1 }),
  item('pay', 'server', 'call', { startAt: 2 }),
  item('send', 'producer', 'web', { startAt: 5 }),
  item('placed', 'event', 'send', { synchronous: false, startAt: 6, badge: 'dead-lettered' }),
  item('late', 'consumer', 'placed', { synchronous: false, startAt: 90, delivery: 2, status: 'error' }),
  item('charge', 'client', 'late', { synchronous: false, startAt: 91, status: 'error' }),
  item('first', 'consumer', 'placed', { synchronous: false, startAt: 40, delivery: 1 }),
];

describe('buildTree', () => {
  it('draws the synchronous tree first, then the event with its deliveries in time', () => {
    const { rows } = buildTree(ORDER, OPTIONS);
    expect(rows.map((row) => `${row.kind} ${row.item.uid} ${row.depth} ${row.part}`)).toEqual([
      'item web 0 sync', 'item pay 1 sync', 'item send 1 sync', 'band placed 0 event', 'item first 0 event', 'item late 0 redelivery', 'item charge 1 redelivery', 'dead placed 0 redelivery',
    ]);
    expect(rows[3]?.consumers).toBe(2);
    expect(rows[7]?.at).toBe(100);
  });

  it('folds the callers half of a call into the answering half and keeps its retry', () => {
    const tree = buildTree(ORDER, OPTIONS);
    expect(tree.foldedClient).toBe(1);
    const pay = tree.rows.find((row) => row.key === 'pay');
    expect(pay?.outer).toEqual({ startAt: 1, endAt: 11 });
    expect(pay?.item.retry).toBe(1);
  });

  it('never folds a caller that failed where the callee did not, nor what must be kept', () => {
    const failed = ORDER.map((one) => (one.uid === 'call' ? { ...one, status: 'error' } : one));
    expect(buildTree(failed, OPTIONS).foldedClient).toBe(0);
    expect(buildTree(ORDER, { ...OPTIONS, keep: new Set(['call']) }).foldedClient).toBe(0);
    expect(buildTree(ORDER, { ...OPTIONS, unfolded: true }).rows).toHaveLength(ORDER.length + 1);
  });

  it('folds internal spans of long journeys only and hangs their children higher', () => {
    const inner = [item('root', 'server', null), item('step', 'internal', 'root'), item('broken', 'internal', 'root', { status: 'error' }), item('db', 'client', 'step')];
    expect(buildTree(inner, OPTIONS).foldedInternal).toBe(0);
    const many = [...inner, ...Array.from({ length: 40 }, (_, i) => item(`x${i}`, 'client', 'root'))];
    const tree = buildTree(many, OPTIONS);
    expect(tree.foldedInternal).toBe(1);
    expect(tree.rows.find((row) => row.key === 'db')?.depth).toBe(1);
    expect(tree.rows.some((row) => row.key === 'broken')).toBe(true);
  });

  it('hides what is below a collapsed row but not the events published there', () => {
    const { rows } = buildTree(ORDER, { ...OPTIONS, collapsed: new Set(['web']) });
    expect(rows.map((row) => row.key)).toEqual(['web', 'placed', 'first', 'late', 'charge', 'dead:placed']);
    expect(rows[0]?.collapsed).toBe(true);
  });

  it('shows a parent that never arrived above its child', () => {
    const { rows } = buildTree([item('web', 'server', null)], { ...OPTIONS, missing: 1, entryMissing: true });
    expect(rows.map((row) => `${row.kind} ${row.depth}`)).toEqual(['missing 0', 'item 1']);
  });

  it('survives a circle of parents and parents that are not there', () => {
    const circle = [item('a', 'server', 'b'), item('b', 'server', 'a'), item('c', 'server', 'nobody')];
    expect(buildTree(circle, OPTIONS).rows.map((row) => row.key)).toEqual(['c']);
  });
});

describe('nextError', () => {
  it('goes around in both directions', () => {
    const { rows } = buildTree(ORDER, OPTIONS);
    expect(nextError(rows, 'web', 1)?.key).toBe('late');
    expect(nextError(rows, 'late', 1)?.key).toBe('charge');
    expect(nextError(rows, 'late', -1)?.key).toBe('charge');
    expect(nextError(rows.slice(0, 2), 'web', 1)).toBeNull();
  });
});
