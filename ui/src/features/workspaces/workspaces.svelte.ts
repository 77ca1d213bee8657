import { backend, toBackendError } from '../../lib/backend';
import type { Workspaces } from '../../lib/bindings';

/** The list of workspaces, and switching between them. */
class WorkspaceList {
  data = $state.raw<Workspaces | null>(null);
  /** What is being opened. */
  opening = $state<string | null>(null);
  /** What went wrong last: what was tried, and why it failed. */
  problem = $state.raw<{ what: string; why: string } | null>(null);

  /** Asks for the list. */
  async load(): Promise<void> {
    await this.#try('The list of workspaces could not be read.', async () => {
      this.data = await backend().call('workspaces', {});
    });
  }

  /** Opens a workspace in place of this one; the window begins anew when that is done. */
  open(path: string, create: boolean): Promise<boolean> {
    return this.#switch(path, () => backend().call('workspace_open', { path, create }));
  }

  /** Lets people choose a file. */
  choose(): Promise<boolean> {
    return this.#switch('another workspace', () => backend().openWorkspace());
  }

  /** Takes a workspace off the list; its file stays. */
  async forget(path: string): Promise<void> {
    await this.#try('The workspace stays on the list.', async () => {
      this.data = await backend().call('workspace_forget', { path });
    });
  }

  async #switch(name: string, run: () => Promise<unknown>): Promise<boolean> {
    this.opening = name;
    try {
      return await this.#try('The workspace was not opened.', run);
    } finally {
      this.opening = null;
    }
  }

  async #try(what: string, run: () => Promise<unknown>): Promise<boolean> {
    this.problem = null;
    try {
      await run();
      return true;
    } catch (thrown) {
      this.problem = { what, why: toBackendError(thrown).message };
      return false;
    }
  }
}

export const workspaces = new WorkspaceList();
