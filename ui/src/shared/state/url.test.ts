import { describe, expect, it } from 'vitest';
import { formatHash, globalParams, ownParams, parseHash, patched } from './url';

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
});
