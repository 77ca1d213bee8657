import { beforeEach, describe, expect, it } from 'vitest';
import { recentSearches, remember } from './recent';
import { fitting, rankOf } from './search';

const commands = ['Show the last hour', 'LIVE on or off', 'Topology', 'Light or dark theme'].map((title) => ({ id: title, title, run: () => {} }));

describe('commands', () => {
  it('that begin so come first, then words, then all words anywhere', () => {
    expect(['li', 'last', 'hour show', 'zzz'].map((typed) => fitting(commands, typed, 3).map((one) => one.title))).toEqual([['LIVE on or off', 'Light or dark theme'], ['Show the last hour'], ['Show the last hour'], []]);
    expect([rankOf('Topology', 'top'), rankOf('The map', 'map'), rankOf('Topology', 'pol')]).toEqual([0, 1, 2]);
  });
});

describe('recent searches', () => {
  beforeEach(() => localStorage.clear());
  it('are kept once each, newest first', () => {
    ['a', 'b', 'a', ' '].forEach(remember);
    expect(recentSearches()).toEqual(['a', 'b']);
  });
  it('survive nonsense in the storage', () => {
    localStorage.setItem('flowglass.searches', '{"x"');
    expect(recentSearches()).toEqual([]);
  });
});
