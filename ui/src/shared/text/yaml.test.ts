import { describe, expect, it } from 'vitest';
import { keysAt, lineOf, removeAt, renameAt, setAt, valueAt, type Sorted } from './yaml';

const TEXT = `flowglass: scenario/1
title: Place order   # for the review
participants:
  web:  { layer: experience, workers: 64 }
  erp:  { layer: system, workers: 4, outages: [{ at: 2m, for: 90s }] } # slow
operations:
  order.place:
    work: { exp: 8ms }
    steps:
      - { id: pay, do: payments.charge, needs: success }
      - parallel:
          - { id: post, do: erp.create }
          - id: notify
            do: mail.send
            intent: notify

variants:
  api-led:      {}
  hybrid:       { events: { post: orders.placed, notify: orders.placed } }
`;

/** Lines that differ. */
function changed(after: string | null): string[] {
  const before = TEXT.split('\n');
  return (after ?? 'none').split('\n').filter((line) => !before.includes(line));
}

describe('setting a value', () => {
  it.each([
    ['a figure', ['participants', 'erp', 'workers'], 8, ['  erp:  { layer: system, workers: 8, outages: [{ at: 2m, for: 90s }] } # slow']],
    ['in a list', ['participants', 'erp', 'outages', '0', 'for'], '5m', ['  erp:  { layer: system, workers: 4, outages: [{ at: 2m, for: 5m }] } # slow']],
    ['a text beside a comment', ['title'], 'Orders: all', ['title: "Orders: all"   # for the review']],
    ['a new key in one line', ['operations', 'order.place', 'steps', '0', 'timeout'], '2s', ['      - { id: pay, do: payments.charge, needs: success, timeout: 2s }']],
    ['a new key on a line of its own', ['operations', 'order.place', 'steps', '1', 'parallel', '1', 'timeout'], '2s', ['            timeout: 2s']],
    ['through what is not there', ['variants', 'api-led', 'events', 'post'], 'orders.placed', ['  api-led:      { events: { post: orders.placed } }']],
    ['a new map at the root', ['targets', 'response_p95'], '600ms', ['targets: { response_p95: 600ms }']],
  ] as [string, string[], never, string[]][])('changes only %s', (_, path, value, lines) => {
    const after = setAt(TEXT, path, value);
    expect(changed(after)).toEqual(lines);
    expect(valueAt(after!, path)).toEqual(value);
  });

  it('gives up on what it does not understand', () => {
    expect(setAt('a: [1', ['a'], 2)).toBeNull();
    expect(setAt('a: &x { b: 1 }\nc: *x\n', ['c', 'b'], 2)).toBeNull();
  });
});

describe('removing a value', () => {
  it('keeps the rest as it is', () => {
    expect(changed(removeAt(TEXT, ['variants', 'hybrid', 'events', 'post']))).toEqual(['  hybrid:       { events: { notify: orders.placed } }']);
    expect(changed(removeAt(TEXT, ['variants', 'hybrid', 'events', 'notify']))).toEqual(['  hybrid:       { events: { post: orders.placed } }']);
    expect(changed(removeAt(TEXT, ['variants', 'hybrid', 'events']))).toEqual(['  hybrid:       {}']);
    const without = removeAt(TEXT, ['operations', 'order.place', 'steps', '1', 'parallel', '1', 'intent']);
    expect(without).toBe(TEXT.replace('            intent: notify\n', ''));
    expect(removeAt(TEXT, ['nothing', 'here'])).toBe(TEXT);
  });
  it('names keys', () => expect(keysAt(TEXT, ['variants'])).toEqual(['api-led', 'hybrid']));
});

/** By letters, but for `kind`, which comes first. */
const SORTED: Sorted = { compare: () => (a, b) => Number(b === 'kind') - Number(a === 'kind') || (a < b ? -1 : 1) };
const BLOCK = `flowglass: design/1 # ours
participants:
  # Takes orders.
  orders:
    layer: process # since 2021
    calls:
      "a{b}": []
  # Charges.
  payments:
    owner: team
kept:
  # with the auditors
  - kind: a
    subject: x
  - kind: b
    subject: y
`;

describe('an ordered file with lines of its own', () => {
  it.each([
    ['a new participant before the comments of the next', ['participants', 'mail'], { layer: 'system', publishes: ['x{y}', 'z'] }, '  # Takes orders.', '  mail:\n    layer: system\n    publishes: ["x{y}", z]\n  # Takes orders.'],
    ['one between two', ['participants', 'p'], {}, '  # Charges.', '  p: {}\n  # Charges.'],
    ['one at the end', ['participants', 'z', 'layer'], 'system', '    owner: team', '    owner: team\n  z:\n    layer: system'],
    ['a key at its place', ['participants', 'orders', 'kind'], 'external', '    layer: process # since 2021', '    kind: external\n    layer: process # since 2021'],
    ['a key after a map of its own', ['participants', 'orders', 'uses'], ['db'], '      "a{b}": []', '      "a{b}": []\n    uses: [db]'],
    ['a new item of a list', ['kept'], [{ subject: 'x', kind: 'a' }, { kind: 'b', subject: 'y' }, { kind: 'c', subject: 'z' }], '    subject: y', '    subject: y\n  - kind: c\n    subject: z'],
    ['an item less', ['kept'], [{ kind: 'a', subject: 'x' }], '  - kind: b\n    subject: y\n', ''],
  ] as [string, string[], never, string, string][])('takes %s', (what, path, value, was, is) => {
    const after = setAt(BLOCK, path, value, SORTED);
    expect(after, what).toBe(BLOCK.replace(was, is));
    expect(valueAt(after!, path)).toEqual(value);
  });

  it('fills an empty map with lines', () => {
    expect(setAt('a:\n  b: {} # none\n', ['a', 'b', 'c'], 1, SORTED)).toBe('a:\n  b:\n    c: 1 # none\n');
    expect(setAt('a:\nb: 1\n', ['a', 'c', 'd'], 'x', SORTED)).toBe('a:\n  c:\n    d: x\nb: 1\n');
  });
  it('removes whole maps, and the last of one', () => {
    expect(removeAt(BLOCK, ['participants', 'orders'])).toBe(BLOCK.replace(/ {2}orders:\n( {4}.*\n)+/, ''));
    expect(removeAt(BLOCK, ['participants', 'payments', 'owner'])).toBe(BLOCK.replace('  payments:\n    owner: team', '  payments: {}'));
  });
  it('renames keys and knows their lines', () => {
    expect(renameAt(BLOCK, ['participants', 'orders'], 'order: all')).toBe(BLOCK.replace('orders:', '"order: all":'));
    expect(renameAt(BLOCK, ['participants', 'orders'], 'payments')).toBeNull();
    expect([lineOf(BLOCK, ['participants', 'payments']), lineOf(BLOCK, ['none'])]).toEqual([9, null]);
  });
});
