import { describe, expect, it } from 'vitest';
import type { DestinationRow, EventRow } from '../../lib/bindings';
import { groupDestinations, troubleOf } from './destinations';
import { holdRows, matches, mergeRows, tailFilterOf } from './tail';

const event = (row: number, more: Partial<EventRow> = {}): EventRow => ({
  row, at: row, system: 'nats', destination: 'orders.placed', eventType: 'order.placed', eventId: null, source: null, key: null, stream: null, sequence: null,
  size: 0, occurrences: 1, deliveries: 0, outcome: 'acked 1/1', outcomeLevel: 'ok', journey: null, ...more,
});
const order = (rows: EventRow[]) => rows.map((row) => row.row);

describe('matches', () => {
  const all = tailFilterOf({});
  it('goes by destination, type and outcome', () => {
    expect(matches(event(1), all)).toBe(true);
    expect(matches(event(1), { ...all, destination: 'nats/orders.placed' })).toBe(true);
    expect(matches(event(1), { ...all, destination: 'kafka/orders.placed' })).toBe(false);
    expect(matches(event(1), { ...all, eventType: 'order.cancelled' })).toBe(false);
    const by = (outcome: string) => ['failed', 'redelivered', 'unconsumed'].filter((wanted) => matches(event(1, { outcome }), { ...all, outcome: wanted }));
    expect(by('nak #1')).toEqual(['failed']);
    expect(by('nak #2')).toEqual(['failed', 'redelivered']);
    expect(by('dead-lettered')).toEqual(['failed']);
    expect(by('redelivered, 1/1 acked')).toEqual(['redelivered']);
    expect(by('no consumer')).toEqual(['unconsumed']);
    expect(by('acked 3/3')).toEqual([]);
  });
});

describe('mergeRows', () => {
  it('keeps newest first and each row once, with its later word', () => {
    const merged = mergeRows([event(3), event(1)], [event(2), event(3, { outcome: 'nak #1' })]);
    expect(order(merged)).toEqual([3, 2, 1]);
    expect(merged[0]?.outcome).toBe('nak #1');
  });

  it('keeps no more than the ring holds, and the same array when nothing came', () => {
    const rows = [event(3), event(2)];
    expect(order(mergeRows(rows, [event(4)], 2))).toEqual([4, 3]);
    expect(mergeRows(rows, [])).toBe(rows);
  });
});

describe('holdRows', () => {
  it('changes known rows in place and lets new ones wait once', () => {
    const first = holdRows([event(2), event(1)], [], [event(3), event(1, { outcome: 'nak #1' })]);
    expect(order(first.rows)).toEqual([2, 1]);
    expect(first.rows[1]?.outcome).toBe('nak #1');
    const second = holdRows(first.rows, first.waiting, [event(4), event(3)]);
    expect(order(second.waiting)).toEqual([4, 3]);
  });
});

describe('groupDestinations', () => {
  const destination = (name: string, more: Partial<DestinationRow> = {}): DestinationRow => ({
    id: `nats/${name}`, node: '', system: 'nats', name, stream: 'ORDERS', publications: 5, rate: 1, consumers: [{ name: 'a', participant: null, deliveries: 1, redeliveries: 0, naks: 0, p50Ms: null, p95Ms: null }],
    redeliveries: 0, deadLettered: 0, isDeadLetter: false, spansOnly: false, spark: [], lastAt: null, ...more,
  });

  it('groups by stream, then system, dead letters last', () => {
    const groups = groupDestinations([destination('z'), destination('dlq', { stream: 'DLQ', isDeadLetter: true }), destination('k', { stream: null, system: 'kafka', spansOnly: true }), destination('a')]);
    expect(groups.map((group) => `${group.title} ${group.rows.map((row) => row.name).join('')}`)).toEqual(['ORDERS az', 'Kafka k', 'DLQ dlq']);
    expect(groups[1]?.spansOnly).toBe(true);
  });

  it('tells what is wrong with a destination', () => {
    expect(troubleOf(destination('a'))).toBeNull();
    expect(troubleOf(destination('a', { consumers: [] }))).toBe('unread');
    expect(troubleOf(destination('a', { consumers: [], publications: 0 }))).toBeNull();
    expect(troubleOf(destination('a', { deadLettered: 1 }))).toBe('dead');
    expect(troubleOf(destination('dlq', { isDeadLetter: true, consumers: [] }))).toBe('dead');
  });
});
