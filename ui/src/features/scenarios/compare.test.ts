import { describe, expect, it } from 'vitest';
import type { DifferenceView, LoadSweep, ScenarioResult } from '../../lib/bindings';
import { differenceOf, metricsOf, outagesOnPath, saturation, usualPair } from './compare';
import { designOf } from './testing';
import { interval, share, signed, spoken } from './words';

const estimate = (value: number | null, half = 0) => ({ value, low: value === null ? null : value - half, high: value === null ? null : value + half, n: 10, why: value === null ? 'no steady state' : null });

describe('two variants side by side', () => {
  it('begins with all calls and what is recommended', () => {
    expect(usualPair(designOf(), 'hybrid')).toEqual({ a: 'api-led', b: 'hybrid' });
    expect(usualPair(designOf(), 'api-led')).toEqual({ a: 'api-led', b: 'hybrid' });
    expect(usualPair(null, null)).toEqual({ a: null, b: null });
  });
  it('turns a difference round when A and B are the other way', () => {
    const d: DifferenceView = { a: 'api-led', b: 'hybrid', workload: 'shop', metric: 'response', label: '', unit: 'ms', value: { ...estimate(-400, 20) }, indifference: 10, verdict: 'better' };
    const result = { differences: [d], variants: [{ name: 'api-led', workloads: [{ name: 'shop', response: {}, settled: {} }], groups: [] }, { name: 'hybrid', workloads: [{ name: 'shop', response: {}, settled: {} }], groups: [] }] } as unknown as ScenarioResult;
    const row = (a: string, b: string) => differenceOf(metricsOf(result, a, b, null).find((metric) => metric.id === 'response')!);
    expect(row('api-led', 'hybrid')).toEqual({ value: -400, low: -420, high: -380, zone: 10, verdict: 'better' });
    expect(row('hybrid', 'api-led')).toEqual({ value: 400, low: 380, high: 420, zone: 10, verdict: 'worse' });
  });
  it('knows whose outage hits the user', () => {
    const design = designOf();
    design.participants[3]!.outages = [{ atMs: 0, forMs: 1000, mode: '' }];
    for (const [i, step] of design.steps.entries()) step.path = ['operations', i === 0 ? 'web.do' : 'order.do', 'steps', '0'];
    expect(outagesOnPath(design, {})).toEqual(['erp']);
    expect(outagesOnPath(design, { post: 'orders.placed' })).toEqual([]);
  });
  it('names the first load that is too much', () => {
    const point = (rate: number, a: number | null, b: number | null) => ({ rate, variants: [{ name: 'a', responseP95: estimate(a), settledP95: estimate(a) }, { name: 'b', responseP95: estimate(10), settledP95: estimate(b) }] });
    const sweep: LoadSweep = { now: 60, replications: 5, points: [point(60, 100, 100), point(120, null, 300), point(240, null, null)] };
    expect([saturation(sweep, 'a'), saturation(sweep, 'b'), saturation(null, 'a')]).toEqual([120, 240, null]);
  });
});

describe('figures in words', () => {
  it('says how sure they are', () => {
    expect(interval(estimate(400, 20), 'ms')).toBe('380\u00a0ms – 420\u00a0ms');
    expect(spoken(estimate(null), 'ms')).toBe('none: no steady state');
    expect([signed(-436.2, 'ms'), signed(0.388, 'share'), signed(null, 'ms')]).toEqual(['−436\u00a0ms', '+38.8\u00a0pt', '–']);
    expect([share(0.9998), share(0.612), share(1), share(0.0002)]).toEqual(['99.98\u00a0%', '61.2\u00a0%', '100.0\u00a0%', '0.02\u00a0%']);
  });
});
