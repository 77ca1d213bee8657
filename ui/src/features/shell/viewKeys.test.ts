import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VIEW_KEYS } from './viewKeys';

/** Always bound: listed from what is bound. */
const EVERYWHERE = ['Everywhere'];
const source = join(import.meta.dirname, '../..');

/** Groups as the sources bind them: title, and the keys that have a label. */
function bound(): Map<string, [string, string][]> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(svelte|ts)$/.test(file) && !file.endsWith('.test.ts'));
  const groups = new Map<string, [string, string][]>();
  for (const file of files) {
    for (const [, title, body] of readFileSync(join(source, file), 'utf8').matchAll(/keys\.bind\('([^']+)', \[(.*?)\]\)/gs)) {
      const keys = [...body!.matchAll(/\{ key: '([^']+)'(?:, shown: '([^']+)')?, label: '([^']*)'/g)];
      const shown = keys.filter(([, , , label]) => label !== '').map(([, key, shown, label]): [string, string] => [shown ?? key!, label!]);
      groups.set(title!, [...(groups.get(title!) ?? []), ...shown]);
    }
  }
  return groups;
}

describe('the list of all keys', () => {
  const groups = bound();
  it('finds what views bind', () => expect(groups.get('Everywhere')?.length).toBeGreaterThan(8));
  it('names every view', () => expect(VIEW_KEYS.map((group) => group.title).sort()).toEqual([...groups.keys()].filter((title) => !EVERYWHERE.includes(title)).sort()));
  it.each(VIEW_KEYS.map((group) => group.title))('holds what %s binds', (title) => {
    expect(VIEW_KEYS.find((group) => group.title === title)?.keys).toEqual(groups.get(title));
  });
});
