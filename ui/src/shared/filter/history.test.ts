import { beforeEach, describe, expect, it } from 'vitest';
import { recentFilters, rememberFilter } from './history';

describe('filters used lately', () => {
  beforeEach(() => {
    const kept = new Map<string, string>();
    Object.defineProperty(globalThis, 'localStorage', { configurable: true, value: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) } });
  });

  it('come newest first, each once, by view', () => {
    for (const expr of ['state:failed', 'service:a', 'state:failed', '  ']) rememberFilter('journeys', expr);
    rememberFilter('events', 'type:x');
    expect(recentFilters('journeys')).toEqual(['state:failed', 'service:a']);
    expect(recentFilters('events')).toEqual(['type:x']);
  });

  it('do not keep every step of typing', () => {
    for (const expr of ['state:failed', 'state:failed service:a', 'state:failed service:a retried:true']) rememberFilter('journeys', expr);
    expect(recentFilters('journeys')).toEqual(['state:failed service:a retried:true']);
  });

  it('survive a broken memory', () => {
    localStorage.setItem('flowglass.filters.map', 'no json');
    expect(recentFilters('map')).toEqual([]);
  });
});
