import { describe, expect, it } from 'vitest';
import type { DestinationRow, EventRow } from '../../lib/bindings';
import { groupDestinations, troubleOf } from './destinations';
import { holdRows, mergeRows } from './tail';

const event = (row: number, more: Partial<EventRow> = {}): EventRow => ({
  row, at: row, system: 'nats', destination: 'orders.placed', eventType: 'order.placed', eventId: null, source: null, key: null, stream: null, sequence: null,
  size: 0, occurrences: 1, deliveries: 0, outcome: 'acked 1/1', outcomeLevel: 'ok', journey: null, ...more,
});
const order = (rows: EventRow[]) => rows.map((row) => row.row);

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
