import { describe, expect, it } from 'vitest';
import type { LogRow } from '../../lib/bindings';
import { levelWord, toneOf } from './levels';
import { mergeLines, unseen } from './merge';

const line = (id: string, at: number) => ({ id, at }) as LogRow;
const ids = (rows: LogRow[]) => rows.map((row) => row.id).join('');

describe('lines', () => {
  it('come newest first, each once, no more than the ring holds', () => {
    expect(ids(mergeLines([line('c', 3), line('a', 1)], [line('b', 2), line('c', 3)]))).toBe('cba');
    expect(ids(mergeLines([line('c', 3), line('a', 1)], [line('b', 2)], 2))).toBe('cb');
    expect(ids(unseen([line('a', 1)], [line('a', 1), line('b', 2)]))).toBe('b');
  });
  it('carry their level in tone and word', () => {
    expect(['fatal', 'error', 'warn', 'info', 'unset'].map(toneOf)).toEqual(['err', 'err', 'warn', 'plain', 'plain']);
    expect(levelWord('unset')).toBe('–');
  });
});
