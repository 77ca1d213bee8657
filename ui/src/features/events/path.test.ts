import { describe, expect, it } from 'vitest';
import type { Item, JourneyView } from '../../lib/bindings';
import { pathOf } from './path';

function item(uid: string, parent: string | null, more: Partial<Item> = {}): Item {
  return { uid, type: 'span', id: uid, traceId: null, participant: uid, participantName: uid, layer: 'process', name: uid, role: 'internal', startAt: 0, durationMs: 1, status: 'ok', depth: 0, parent, synchronous: true, critical: false, settledCritical: false, delivery: null, retry: null, badge: null, guessed: false, eventRow: null, ...more };
}

describe('the way of a message', () => {
  const items = [
    item('send', null),
    item('event:7', 'send', { type: 'event', role: 'event', eventRow: 7 }),
    item('late', 'event:7', { role: 'consumer', delivery: 2, startAt: 9 }),
    item('first', 'event:7', { role: 'consumer', delivery: 1, startAt: 3 }),
    item('db', 'first', { role: 'client' }),
    item('other', 'send'),
  ];
  const view = { items, links: [{ from: 'event:7', to: 'first', how: 'message-id', sure: 'certain' }] } as unknown as JourneyView;

  it('goes from the sender over each delivery to its effects', () => {
    expect(pathOf(view, 7)?.map((step) => [step.item.uid, step.depth, step.part])).toEqual([
      ['send', 0, 'sender'],
      ['event:7', 1, 'message'],
      ['first', 2, 'handling'],
      ['db', 3, 'effect'],
      ['late', 2, 'handling'],
    ]);
  });

  it('knows when the journey has not got it', () => {
    expect(pathOf(view, 8)).toBeNull();
  });
});
