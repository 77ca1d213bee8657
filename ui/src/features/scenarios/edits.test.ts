import { describe, expect, it } from 'vitest';
import { flip, parseRate, parseTime, scaleLoad, setOutage, writeRate, writeTime } from './edits';
import { changed, EMPTY, redone, undone } from '../../shared/text/history';
import { designOf } from './testing';
import { valueAt } from '../../shared/text/yaml';

const TEXT = `title: Place order
workloads:
  - { name: shop, to: web.do, arrivals: { rates: [[0s, 15/s], [3m, 60/s]] } }
participants:
  erp: { workers: 4 }
variants:
  api-led: {}
  hybrid: { events: { post: orders.placed, tell: orders.placed } }
`;

describe('edits by what they mean', () => {
  const design = designOf();
  const [post] = design.steps.filter((step) => step.id === 'post');

  it('turns a call into an event and back', () => {
    const event = flip(TEXT, design, 'api-led', post!);
    expect(valueAt(event!, ['variants', 'api-led'])).toEqual({ events: { post: 'orders.placed' } });
    const back = { ...design, variants: [{ name: 'api-led', events: { post: 'orders.placed' }, overrides: false }] };
    expect(flip(event!, back, 'api-led', post!)).toBe(TEXT);
  });
  it('writes the usual variants down before one of them changes', () => {
    const bare = TEXT.slice(0, TEXT.indexOf('variants:'));
    const event = flip(bare, { ...design, variantsNamed: false }, 'api-led', post!);
    expect(valueAt(event!, ['variants', 'hybrid'])).toEqual({ events: { post: 'orders.placed', tell: 'orders.placed' } });
    expect(valueAt(event!, ['variants', 'api-led'])).toEqual({ events: { post: 'orders.placed' } });
  });
  it('moves every rate of a workload', () => {
    expect(valueAt(scaleLoad(TEXT, 0, 'rates', 2)!, ['workloads', '0', 'arrivals', 'rates'])).toEqual([['0s', '30/s'], ['3m', '120/s']]);
    expect(scaleLoad(TEXT, 0, 'poisson', 2)).toBeNull();
  });
  it('sets, moves and removes an outage', () => {
    const down = setOutage(TEXT, design, 'erp', 90_000);
    expect(valueAt(down!, ['participants', 'erp', 'outages'])).toEqual([{ at: '2m', for: '90s' }]);
    const known = { ...design, participants: design.participants.map((one) => (one.name === 'erp' ? { ...one, outages: [{ atMs: 120_000, forMs: 90_000, mode: '' }] } : one)) };
    expect(valueAt(setOutage(down!, known, 'erp', 300_000)!, ['participants', 'erp', 'outages', '0', 'for'])).toBe('5m');
    expect(setOutage(down!, known, 'erp', 0)).toBe(TEXT);
  });
  it('reads and writes rates and durations as the format does', () => {
    expect([parseRate('132/s'), parseRate('30/min'), parseRate('x')]).toEqual([132, 0.5, null]);
    expect([writeRate(131.7), writeRate(0.01)]).toEqual(['132/s', '36/h']);
    expect([writeTime(0.25), writeTime(8), writeTime(1500), writeTime(600_000), writeTime(3_600_000)]).toEqual(['250us', '8ms', '1.5s', '10m', '1h']);
    expect([parseTime('1.5 min'), parseTime('250'), parseTime('soon')]).toEqual([90_000, 250, null]);
  });
});

describe('undo', () => {
  it('goes back and forth; a burst is one step', () => {
    let history = changed(EMPTY, 'a', false);
    history = changed(history, 'b', true);
    const back = undone(history, 'c')!;
    expect(back.text).toBe('a');
    expect(undone(back.history, 'a')).toBeNull();
    expect(redone(back.history, 'a')).toEqual({ text: 'c', history });
    expect(changed(back.history, 'a', false).future).toEqual([]);
  });
});
