import { describe, expect, it } from 'vitest';
import { useBackend } from '../../lib/backend';
import { mockBackend } from '../../lib/backend/mock';
import { Query } from './query.svelte';

/** Answers that are given by hand. */
function byHand() {
  const open: ((edges: number) => void)[] = [];
  const detail = (count: number) => ({ edge: { figures: { count } } }) as never;
  const backend = mockBackend({ edge: () => new Promise((resolve) => open.push((count) => resolve(detail(count)))) });
  useBackend(backend);
  return { open, backend };
}

const arg = (source: string) => ({ source, target: 'b', kind: 'call', range: { sinceAt: null, untilAt: null } });
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('Query', () => {
  it('asks once at a time and then only the newest', async () => {
    const { open, backend } = byHand();
    const query = new Query('edge');
    void query.load(arg('1'));
    void query.load(arg('2'));
    void query.load(arg('3'));
    expect(backend.calls).toHaveLength(1);
    open[0]!(1);
    await settled();
    expect(query.data?.edge.figures.count).toBe(1);
    expect(backend.calls.map((call) => (call.arg as { source: string }).source)).toEqual(['1', '3']);
  });

  it('drops the answer to what is no longer asked', async () => {
    const { open } = byHand();
    const query = new Query('edge');
    void query.load(arg('1'));
    void query.load(arg('2'), { replace: true });
    open[1]!(2);
    await settled();
    open[0]!(1);
    await settled();
    expect(query.data?.edge.figures.count).toBe(2);
  });

  it('keeps the last data beside an error', async () => {
    const { open } = byHand();
    const query = new Query('edge');
    void query.load(arg('1'));
    open[0]!(1);
    await settled();
    useBackend(mockBackend({}));
    await query.load(arg('1'));
    expect(query.error?.code).toBe('not-found');
    expect(query.data?.edge.figures.count).toBe(1);
  });
});
