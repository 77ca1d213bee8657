import { flushSync } from 'svelte';
import { expect, it } from 'vitest';
import { app } from './app.svelte';
import { route } from './route.svelte';
import { time } from './time.svelte';

it('tells of another environment or time, not of other parts of the address', () => {
  const seen: (string | null)[] = [];
  const stop = $effect.root(() => {
    $effect(() => {
      seen.push(`${app.environment} ${time.choice.kind}`);
    });
  });
  flushSync();
  route.set({ sel: 'service:a', q: 'state:failed' });
  flushSync();
  expect(seen).toHaveLength(1);
  route.set({ env: 'prod' });
  flushSync();
  expect(seen.at(-1)).toBe('prod last');
  stop();
});
