import { describe, expect, it } from 'vitest';
import type { DesignedParticipantView, DesignShape } from '../../lib/bindings';
import { parse } from 'yaml';
import { add, applied, channelFor, fromWire, put, removeChannel, removeParticipant, renameChannel, renameParticipant, setCall, toCalls, toEvent } from './designEdits';
import { picture } from './designPicture';

const TEXT = `flowglass: design/1
title: Shop # ours
participants:
  # Takes orders.
  orders:
    layer: process
    calls:
      payments: ["POST /charge"]
    publishes: [orders.placed]
    uses: [db]
  payments:
    layer: system
    consumes: [orders.placed]
  db:
    kind: backend
channels:
  orders.placed:
    system: nats # JetStream
`;

/** What the backend says of such a text. */
function shapeOf(text: string): DesignShape {
  const { participants = {}, channels = {} } = parse(text) as { participants?: Record<string, Record<string, unknown>>; channels?: Record<string, unknown> };
  const list = (one: Record<string, unknown> | null, key: string) => (one?.[key] as string[] | undefined) ?? [];
  const all = Object.entries(participants).map(([name, one]): DesignedParticipantView => ({
    name, kind: (one?.['kind'] as string | undefined) ?? 'service', layer: (one?.['layer'] as string | undefined) ?? null, system: null, domain: null, owner: null, criticality: null, description: null,
    aliases: [], servers: [], operations: [], calls: Object.entries((one?.['calls'] as Record<string, string[]> | undefined) ?? {}).map(([to, operations]) => ({ to, operations })),
    publishes: list(one, 'publishes'), consumes: list(one, 'consumes'), uses: list(one, 'uses'),
  }));
  const addresses = [...new Set([...Object.keys(channels), ...all.flatMap((one) => [...one.publishes, ...one.consumes])])];
  const users = (address: string, key: 'publishes' | 'consumes') => all.filter((one) => one[key].includes(address)).map((one) => one.name);
  return {
    title: '', description: null, participants: all,
    channels: addresses.map((address) => ({ address, described: address in channels, system: null, owner: null, description: null, aliases: [], messages: [], publishers: users(address, 'publishes'), consumers: users(address, 'consumes') })),
  };
}
const shape = shapeOf(TEXT);

describe('editing a design by form', () => {
  it('puts keys in the order of the format and keeps comments', () => {
    expect(put(TEXT, ['participants', 'orders', 'owner'], 'team a')).toBe(TEXT.replace('    calls:', '    owner: team a\n    calls:'));
    expect(put(TEXT, ['participants', 'orders', 'uses'], [])).toBe(TEXT.replace('    uses: [db]\n', ''));
    expect(add(TEXT, 'participants', 'mail')).toBe(TEXT.replace('  # Takes orders.', '  mail: {}\n  # Takes orders.'));
    expect(put(add(TEXT, 'channels', 'a.b')!, ['channels', 'a.b', 'owner'], 'x')).toBe(TEXT.replace('channels:\n', 'channels:\n  a.b:\n    owner: x\n'));
    expect(put('flowglass: design/1\n', ['participants', 'a', 'layer'], 'system')).toBe('flowglass: design/1\nparticipants:\n  a:\n    layer: system\n');
  });
  it('renames everywhere', () => {
    const made = renameParticipant(TEXT, shape, 'payments', 'pay')!;
    expect(made).toBe(TEXT.replaceAll('payments:', 'pay:'));
    expect(renameParticipant(TEXT, shape, 'db', 'store')).toBe(TEXT.replace('uses: [db]', 'uses: [store]').replace('  db:', '  store:'));
    expect(renameParticipant(TEXT, shape, 'db', 'orders')).toBeNull();
    expect(renameChannel(TEXT, shape, 'orders.placed', 'orders.v1')).toBe(TEXT.replaceAll('orders.placed', 'orders.v1'));
  });
  it('removes what others have to do with it, too', () => {
    const made = shapeOf(removeParticipant(TEXT, shape, 'payments')!);
    expect(made.participants.map((one) => [one.name, one.calls.length])).toEqual([['orders', 0], ['db', 0]]);
    expect(removeParticipant(TEXT, shape, 'db')).toBe(TEXT.replace('    uses: [db]\n', '').replace('  db:\n    kind: backend\n', ''));
    expect(removeChannel(TEXT, shape, 'orders.placed')).toBe(TEXT.replace('    publishes: [orders.placed]\n', '').replace('    consumes: [orders.placed]\n', '').replace(/channels:[^]*$/, ''));
  });
  it('turns calls into events and back', () => {
    expect(channelFor('Payments (sys)')).toBe('payments-sys.requested');
    const event = toEvent(TEXT, shape, 'orders', 'payments', 'payments.requested')!;
    expect(event).toContain('publishes: [orders.placed, payments.requested]');
    expect(event).toContain('consumes: [orders.placed, payments.requested]');
    expect(event).not.toContain('calls');
    const back = toCalls(event, shapeOf(event), 'orders', 'payments.requested')!;
    expect(back).toBe(TEXT.replace('payments: ["POST /charge"]', 'payments: []'));
    expect(setCall(back, 'orders', 'payments', ['POST /charge'])).toBe(TEXT.replace('["POST /charge"]', '[POST /charge]'));
    // Who consumes what others publish as well goes on consuming it.
    const two = put(TEXT, ['participants', 'db', 'publishes'], ['orders.placed'])!;
    expect(shapeOf(toCalls(two, shapeOf(two), 'orders', 'orders.placed')!).participants.find((one) => one.name === 'payments')?.consumes).toEqual(['orders.placed']);
  });
  it('makes all edits or none', () => {
    expect(applied(TEXT, [{ path: ['title'], value: 'x' }, { path: ['kept'], value: [{ kind: 'a', reason: 'b', subject: 'c: d' }] }])).toBe(`${TEXT.replace('Shop', 'x')}kept:\n  - kind: a\n    reason: b\n    subject: "c: d"\n`);
    // An empty list of operations means any: it is something.
    expect(applied(TEXT, fromWire([{ path: ['participants', 'payments', 'calls', 'db'], value: [] }]))).toBe(TEXT.replace('    consumes:', '    calls:\n      db: []\n    consumes:'));
    expect(applied(TEXT, fromWire([{ path: ['participants', 'orders', 'uses'], value: null }]))).toBe(TEXT.replace('    uses: [db]\n', ''));
    expect(applied('a: [', [{ path: ['title'], value: 'x' }])).toBeNull();
  });
});

describe('the picture of a design', () => {
  it('has columns that do not overlap, cards that do not, and a line for each pair', () => {
    const { columns, cards, lines } = picture(shape);
    expect(columns.map((one) => one.layer)).toEqual(['backend', 'system', 'event', 'process']);
    for (const column of columns) {
      const ys = cards.filter((card) => card.layer === column.layer).map((card) => card.y);
      expect(new Set(ys).size).toBe(ys.length);
    }
    expect(lines.filter((line) => line.event)).toHaveLength(2);
    expect(lines.filter((line) => !line.event)).toHaveLength(2);
  });
});
