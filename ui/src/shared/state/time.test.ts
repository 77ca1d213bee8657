import { beforeEach, expect, it } from 'vitest';
import { useBackend } from '../../lib/backend';
import { mockBackend } from '../../lib/backend/mock';
import type { Mark } from '../../lib/bindings';
import { marks } from './marks.svelte';
import { route } from './route.svelte';
import { time } from './time.svelte';

let kept: Mark[] = [];

beforeEach(() => {
  kept = [];
  window.location.hash = '#/topology';
  useBackend(
    mockBackend({
      marks: () => ({ marks: kept }),
      set_mark: ({ name, at, renames }) => {
        const old = kept.find((mark) => mark.name === renames);
        kept = [{ name, at: at ?? old?.at ?? 0 }, ...kept.filter((mark) => mark !== old)];
        return { marks: kept };
      },
      remove_mark: ({ name }) => {
        kept = kept.filter((mark) => mark.name !== name);
        return { marks: kept };
      },
    }),
  );
});

it('shows only what comes after a mark set now, keeps its new name, and lets it go', async () => {
  const before = time.now();
  const name = await time.fromNow();
  expect(route.param('since')).toBe(name);
  expect(time.live).toBe(true);
  expect(time.range.sinceAt).toBeGreaterThanOrEqual(before);
  expect(time.range.untilAt).toBeNull();
  expect(time.label).toBe(`since ${name}`);

  await time.renameMark(name, 'before the release');
  expect(route.param('since')).toBe('before the release');
  expect(marks.at('before the release')).toBe(time.range.sinceAt);

  time.toggleLive();
  expect(time.live).toBe(false);
  expect(time.range.sinceAt).toBe(Math.floor(marks.at('before the release') ?? 0));
  time.toggleLive();
  expect(time.choice).toEqual({ kind: 'marks', live: true, since: 'before the release', until: null });

  await time.removeMark('before the release');
  expect(route.param('since')).toBeNull();
  expect(time.choice.kind).toBe('last');
});

it('gives links that hold no token and bring the same place', () => {
  route.open('events', { row: '7' });
  const link = route.link();
  expect(link).toContain('#/events?row=7');
  expect(link).not.toContain('token');
  route.open('topology', {});
  expect(route.follow(link)).toBe(true);
  expect([route.area, route.param('row')]).toEqual(['events', '7']);
  expect(route.follow('ORD-17')).toBe(false);
});
