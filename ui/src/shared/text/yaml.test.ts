import { describe, expect, it } from 'vitest';
import { keysAt, removeAt, setAt, valueAt } from './yaml';

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
