import { describe, expect, it } from 'vitest';
import { matching } from './components';

const list = [
  { name: 'tokio', version: '1.0', licence: 'MIT', kind: 'rust' },
  { name: 'svelte', version: '5.1', licence: 'MIT', kind: 'javascript' },
  { name: 'zstd', version: '0.13', licence: 'BSD-3-Clause', kind: 'rust' },
];

describe('the search in the list of packages', () => {
  it('shows all without words', () => expect(matching(list, '  ')).toHaveLength(3));
  it('takes words of any column, all of them', () => {
    expect(matching(list, 'mit rust').map((c) => c.name)).toEqual(['tokio']);
    expect(matching(list, 'BSD').map((c) => c.name)).toEqual(['zstd']);
    expect(matching(list, 'gpl')).toEqual([]);
  });
});
