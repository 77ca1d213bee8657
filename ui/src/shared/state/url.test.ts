import { describe, expect, it } from 'vitest';
import { BURST_MS, changedKeys, formatHash, globalParams, hashIn, isStep, ownParams, parseHash, patched } from './url';

describe('address', () => {
  it('survives writing and reading, whatever is in a value', () => {
    const address = { area: 'topology' as const, params: { sel: 'service:retail/ü & co?#/%20@prod', range: '6h' } };
    expect(parseHash(formatHash(address))).toEqual(address);
  });
  it('is the same for the same state', () => {
    expect(formatHash({ area: 'events', params: { b: '2', a: '1' } })).toBe(formatHash({ area: 'events', params: { a: '1', b: '2' } }));
  });
  it('leaves empty parameters out', () => {
    expect(formatHash({ area: 'journeys', params: { find: '' } })).toBe('#/journeys');
  });
  it('falls back to the map', () => {
    expect(parseHash('').area).toBe('topology');
    expect(parseHash('#/nowhere?x=1')).toEqual({ area: 'topology', params: { x: '1' } });
  });
  it('tells global from own parameters', () => {
    const params = { range: '6h', env: 'prod', sel: 'a' };
    expect(globalParams(params)).toEqual({ range: '6h', env: 'prod' });
    expect(ownParams(params)).toEqual({ sel: 'a' });
  });
  it('patches', () => {
    expect(patched({ a: '1', b: '2', c: '3' }, { a: null, b: '', d: '4' })).toEqual({ c: '3', d: '4' });
  });
  it('keeps marks with the range when the area changes', () => {
    const params = { since: 'From 14:03:22', until: 'deploy', range: '6h', id: 'x' };
    expect(globalParams(params)).toEqual({ since: 'From 14:03:22', until: 'deploy', range: '6h' });
  });
});

describe('steps to go back', () => {
  it('knows what changed', () => {
    expect(changedKeys({ sel: 'a', env: 'prod' }, { sel: 'b', q: 'x' })).toBe('env q sel');
    expect(changedKeys({ sel: 'a' }, { sel: 'a' })).toBe('');
  });
  it('takes typing as one step, and two choices as two', () => {
    const first = { keys: 'q', at: 1000 };
    expect(isStep(null, first)).toBe(true);
    expect(isStep(first, { keys: 'q', at: 1000 + BURST_MS - 1 })).toBe(false);
    expect(isStep(first, { keys: 'q', at: 1000 + BURST_MS })).toBe(true);
    expect(isStep(first, { keys: 'sel', at: 1001 })).toBe(true);
    expect(isStep(first, { keys: '', at: 9000 })).toBe(false);
  });
});

describe('links', () => {
  it('are read from a browser, from the window, and bare', () => {
    expect(hashIn('http://127.0.0.1:4321/#/events?row=7')).toBe('#/events?row=7');
    expect(hashIn('flowglass#/journeys?id=ab')).toBe('#/journeys?id=ab');
    expect(hashIn('flowglass://journey/4BF9?span=00f0')).toBe('#/journeys?id=4bf9&span=00f0');
    expect(hashIn('flowglass://find/ORD%2017')).toBe('#/journeys?find=ORD+17');
    expect(hashIn('flowglass://journey/<script>')).toBeNull();
    expect(hashIn('flowglass://settings/x')).toBeNull();
    expect(hashIn('#/topology')).toBe('#/topology');
    expect(hashIn('ORD-17 #/x')).toBeNull();
    expect(hashIn('http://127.0.0.1:4321/')).toBeNull();
  });
});
