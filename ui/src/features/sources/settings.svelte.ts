import { untrack } from 'svelte';
import { backend, toBackendError } from '../../lib/backend';
import type { PatternView, Requests, SettingsView } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';

type Saving = 'set_patterns' | 'set_layer' | 'set_redaction';

/** The configuration as the window edits it: every change is saved at once into the file. */
export class Settings {
  query = new Query('settings');
  /** Why the last change was not saved, by what was changed. */
  problems = $state<Partial<Record<Saving, string>>>({});
  saving = $state(false);

  view = $derived<SettingsView | null>(this.query.data);

  /** Keeps up with the file, also when it is edited elsewhere. */
  follow(): void {
    $effect(() => {
      void app.settingsChanged;
      untrack(() => void this.query.load({}));
    });
  }

  /** Saves patterns; an empty list restores the built-in ones. */
  setPatterns(patterns: PatternView[]): Promise<boolean> {
    return this.#save('set_patterns', { patterns });
  }

  /** Sets a participant's layer; null goes back to declared, name or place. */
  setLayer(id: string, layer: string | null): Promise<boolean> {
    return this.#save('set_layer', { id, layer });
  }

  setRedaction(keys: string[]): Promise<boolean> {
    return this.#save('set_redaction', { keys });
  }

  async #save<K extends Saving>(name: K, arg: Requests[K][0]): Promise<boolean> {
    this.saving = true;
    try {
      this.query.data = await backend().call(name, arg);
      this.problems = { ...this.problems, [name]: undefined };
      notices.announce('Saved');
      return true;
    } catch (thrown) {
      this.problems = { ...this.problems, [name]: toBackendError(thrown).message };
      return false;
    } finally {
      this.saving = false;
    }
  }
}
