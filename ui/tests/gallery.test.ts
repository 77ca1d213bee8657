// @vitest-environment node
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('shows every component of the set', () => {
  const gallery = readFileSync(fileURLToPath(new URL('../gallery/Gallery.svelte', import.meta.url)), 'utf8');
  const components = readdirSync(fileURLToPath(new URL('../src/shared/ui', import.meta.url))).filter((file) => file.endsWith('.svelte'));
  expect(components.filter((file) => !gallery.includes(`/shared/ui/${file}'`))).toEqual([]);
});
