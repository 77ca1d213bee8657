import { beforeEach, describe, expect, it } from 'vitest';
import { BackendError, useBackend } from '../../lib/backend';
import { mockBackend } from '../../lib/backend/mock';
import { workspaces } from './workspaces.svelte';

const LIST = { recent: [{ path: '/w/a.flowglass', name: 'a', bytes: 1, changedAt: 1, oldestAt: null, newestAt: null, current: true }], folder: '/w' };

describe('the list of workspaces', () => {
  beforeEach(() => (workspaces.problem = null));

  it('is asked for and shortened', async () => {
    const backend = mockBackend({ workspaces: () => LIST, workspace_forget: () => ({ recent: [], folder: '/w' }) });
    useBackend(backend);
    await workspaces.load();
    expect(workspaces.data?.recent.map((entry) => entry.name)).toEqual(['a']);
    await workspaces.forget('/w/a.flowglass');
    expect(workspaces.data?.recent).toEqual([]);
    expect(backend.calls.at(-1)).toEqual({ name: 'workspace_forget', arg: { path: '/w/a.flowglass' } });
  });

  it('says why a workspace was not opened, and that nothing is being opened any more', async () => {
    const held = new BackendError({ code: 'workspace-held', message: 'It is open in process 7.' });
    useBackend(mockBackend({ workspace_open: () => Promise.reject(held) }));
    const opening = workspaces.open('b', true);
    expect(workspaces.opening).toBe('b');
    expect(await opening).toBe(false);
    expect(workspaces.opening).toBeNull();
    expect(workspaces.problem).toEqual({ what: 'The workspace was not opened.', why: 'It is open in process 7.' });
  });

  it('forgets the last problem with the next success', async () => {
    workspaces.problem = { what: 'x', why: 'y' };
    useBackend(mockBackend({ workspace_open: () => ({}) }));
    expect(await workspaces.open('b', false)).toBe(true);
    expect(workspaces.problem).toBeNull();
  });
});
