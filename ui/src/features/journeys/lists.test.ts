import { describe, expect, it } from 'vitest';
import type { Attribute, HistogramBin, JourneyRow } from '../../lib/bindings';
import { barPlace } from './bar';
import { appendPage, durationTerm, filterOf, isFiltered, mergeHead, parseDuration, refreshInPlace, requestOf } from './filters';
import { groupAttributes } from './groups';
import { axisOf, barsOf } from './histogram';
import { splitCause } from './words';

const row = (id: string, startAt: number, state = 'ok') => ({ id, startAt, state }) as JourneyRow;
const ids = (rows: JourneyRow[]) => rows.map((one) => one.id).join('');
const bin = (fromMs: number, toMs: number, count: number, failed = 0): HistogramBin => ({ fromMs, toMs, count, failed });

describe('the list', () => {
  const shown = [row('c', 30), row('b', 20), row('a', 10)];

  it('puts newer rows in front and keeps older pages', () => {
    expect(ids(mergeHead(shown, [row('d', 40), row('c', 30)]))).toBe('dcba');
    expect(mergeHead(shown, [])).toEqual([]);
  });

  it('holds newer rows back but refreshes the ones in sight', () => {
    const held = refreshInPlace(shown, [row('e', 50), row('d', 40), row('c', 30, 'failed')]);
    expect(ids(held.rows)).toBe('cba');
    expect(held.rows[0]?.state).toBe('failed');
    expect(held.waiting).toBe(2);
  });

  it('appends a page without doubles', () => {
    expect(ids(appendPage(shown, [row('a', 10), row('z', 5)]))).toBe('cbaz');
  });

  it('reads filters from the address and asks for them', () => {
    const filter = filterOf({ q: 'state:failed', noise: '1', id: 'x' });
    expect(filter).toEqual({ find: null, q: 'state:failed', noise: true });
    expect([isFiltered(filter), isFiltered(filterOf({ id: 'x' })), isFiltered(filterOf({ find: 'o-1' }))]).toEqual([true, false, true]);
    const range = { sinceAt: 1, untilAt: 2 };
    expect(requestOf(filter, 'prod', range, null)).toMatchObject({ filter: 'state:failed env:prod', noise: true, find: null });
    expect(requestOf(filterOf({}), null, range, 'x')).toMatchObject({ filter: null, after: 'x' });
    expect([2000, 500, 1234.5678, 2500].map(durationTerm)).toEqual(['2s', '500ms', '1234.568ms', '2.5s']);
  });

  it('reads durations as people type them', () => {
    expect(['2 s', '500ms', '1,5', '2 min', '-1', 'soon'].map(parseDuration)).toEqual([2000, 500, 1500, 120_000, null, null]);
  });
});

describe('the histogram', () => {
  const bins = [bin(1, 10, 0), bin(10, 100, 0), bin(100, 1000, 40, 4), bin(1000, 10_000, 1, 1), bin(10_000, 100_000, 0), bin(1e5, 1e6, 0)];

  it('leaves empty ends away and keeps what is counted visible', () => {
    const bars = barsOf(bins);
    expect(bars.map((bar) => bar.bin.count)).toEqual([0, 40, 1, 0]);
    expect(bars[1]).toMatchObject({ height: 1, failedHeight: 0.1, x: 0.25 });
    expect(bars[2]?.height).toBe(0.05);
    expect(bars[2]?.failedHeight).toBe(0.05);
    expect(barsOf([bin(1, 10, 0)])).toEqual([]);
  });

  it('labels powers of ten where they are', () => {
    expect(axisOf(bins).map((label) => label.x)).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });
});

describe('words beside bars', () => {
  const plain = { status: 'unset', badge: null, retry: null, delivery: null };

  it('stand right of the bar, inside of it, or left of it', () => {
    expect(barPlace(plain, 10, 60, 700, 700).beside).toBe('after');
    expect(barPlace(plain, 0, 480, 500, 900).beside).toBe('inside');
    expect(barPlace(plain, 470, 490, 500, 500).beside).toBe('before');
    expect(barPlace(plain, 470, 490, 500, 700).beside).toBe('after');
    expect(barPlace(plain, 5, 5, 700, 700).width).toBe(2);
  });

  it('take the badge into the bar when it fits', () => {
    expect(barPlace({ ...plain, status: 'error', badge: 'timeout' }, 0, 90, 700, 700).inside).toBe(true);
    expect(barPlace({ ...plain, status: 'error', badge: 'timeout' }, 0, 30, 700, 700).inside).toBe(false);
  });
});

describe('words of a span', () => {
  it('are grouped by what they are about', () => {
    const attribute = (key: string): Attribute => ({ key, value: '', redacted: false, removed: false });
    const groups = groupAttributes(['order.id', 'db.system.name', 'http.route', 'messaging.system', 'exception.type', 'url.full'].map(attribute));
    expect(groups.map((group) => [group.title, group.attributes.map((one) => one.key)])).toEqual([
      ['Request', ['http.route', 'url.full']],
      ['Messaging', ['messaging.system']],
      ['Database', ['db.system.name']],
      ['Other attributes', ['order.id']],
    ]);
  });

  it('split a cause after its subject', () => {
    expect(splitCause('payments-sys-api POST /charge returned 500: acquirer timed out')).toEqual({ headline: 'payments-sys-api POST /charge returned 500', rest: 'Acquirer timed out' });
    expect(splitCause('it failed')).toEqual({ headline: 'it failed', rest: null });
  });
});
