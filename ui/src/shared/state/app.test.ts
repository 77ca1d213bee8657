import { expect, it } from 'vitest';
import { useBackend } from '../../lib/backend';
import { mockBackend } from '../../lib/backend/mock';
import type { AppInfo, ImportView } from '../../lib/bindings';
import { app } from './app.svelte';
import { time } from './time.svelte';

const info = (empty: boolean): AppInfo => ({ version: '1', workspace: '/w', workspaceName: 'w', environments: [], configPath: '/c', empty, oldestAt: null, newestAt: null, demo: false, warnings: [], nowAt: Date.now() });
const view = (state: string, lastAt: number | null): ImportView => ({ id: 3, title: 'f.json', state, bytesRead: 1, bytesTotal: 1, file: null, files: 1, spans: 5, events: 0, logs: 0, known: 0, rejectedTotal: 0, rejected: [], firstAt: lastAt === null ? null : 1_000_000, lastAt, waiting: null, problem: null });
const settled = () => new Promise((resolve) => setTimeout(resolve));

it('moves the range to what was imported, once, and leaves the first run when data arrives', async () => {
  let empty = true;
  const backend = mockBackend({ app: () => info(empty), marks: () => ({ marks: [] }) });
  useBackend(backend);
  const stop = app.start();
  await settled();
  expect(app.info?.empty).toBe(true);
  expect(time.live).toBe(true);

  backend.push({ type: 'import', import: view('running', null) });
  expect(time.live).toBe(true);
  empty = false;
  backend.push({ type: 'import', import: view('done', 1_100_000) });
  expect(time.choice).toEqual({ kind: 'fixed', live: false, from: 990_000, to: 1_110_000 });
  await settled();
  expect(app.info?.empty).toBe(false);

  time.preset('15m');
  backend.push({ type: 'import', import: view('done', 1_100_000) });
  expect(time.choice).toEqual({ kind: 'last', live: true, preset: '15m' });
  stop();
});

it('passes pushed changes on until told to stop', () => {
  const backend = mockBackend({ app: () => info(false), marks: () => ({ marks: [] }) });
  useBackend(backend);
  const stop = app.start();
  const seen: string[] = [];
  const quiet = app.listen((u) => seen.push(u.type));
  backend.push({ type: 'sources' });
  quiet();
  backend.push({ type: 'settings' });
  expect(seen).toEqual(['sources']);
  expect(app.settingsChanged).toBeGreaterThan(0);
  stop();
});
