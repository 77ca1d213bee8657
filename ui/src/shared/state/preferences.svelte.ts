import { backend } from '../../lib/backend';
import type { Preferences } from '../../lib/bindings';
import { attempt } from './notices.svelte';

/** What the program does for its user, kept for all workspaces. */
class PreferencesStore {
  current = $state.raw<Preferences>({ notify: true, keepReceiving: null });

  /** Asks for them; what cannot be had stays as it is. */
  async load(): Promise<void> {
    this.current = await backend().call('preferences', {});
  }

  /** Changes some of them; true when they were kept. */
  set(change: Partial<Preferences>): Promise<boolean> {
    return attempt('The setting was not kept', async () => {
      this.current = await backend().call('set_preferences', { ...this.current, ...change });
    });
  }
}

export const preferences = new PreferencesStore();
