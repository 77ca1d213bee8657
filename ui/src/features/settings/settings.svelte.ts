import { untrack } from 'svelte';
import { backend, toBackendError } from '../../lib/backend';
import type { EditSettingsRequest, SetParticipantsRequest, SettingsView } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { asShown } from './lists';

/** Lists of the settings, as a change names them. */
export type Lists = Omit<EditSettingsRequest, 'revision'>;

/** The configuration as the window edits it: every change is saved at once into the file, and can be undone. */
export class Settings {
  query = new Query('settings');
  saving = $state(false);
  view = $derived<SettingsView | null>(this.query.data);

  /** Keeps up with the file, also when it is edited elsewhere. */
  follow(): void {
    $effect(() => {
      void app.settingsChanged;
      untrack(() => void this.query.load({}));
    });
  }

  /** Saves lists and says so, with a way back. Answers why that was not possible, or null. */
  async save(lists: Lists, said: string): Promise<string | null> {
    const before = this.view;
    const problem = await this.#send(() => backend().call('edit_settings', { ...lists, revision: before?.revision }));
    if (problem === null && before) this.#offerUndo(asShown(before, lists), said);
    return problem;
  }

  /** Says something of participants: `""` clears, what is absent stays. Answers why that was not possible, or null. */
  async describe(change: SetParticipantsRequest, said: string): Promise<string | null> {
    const before = this.view;
    const problem = await this.#send(() => backend().call('set_participants', change));
    const touched: Lists = { ...(change.layer === null ? {} : { layers: [] }), ...(change.domain === null ? {} : { domains: [] }), ...(change.owner === null ? {} : { owners: [] }) };
    if (problem === null && before) this.#offerUndo(asShown(before, touched), said);
    return problem;
  }

  #offerUndo(lists: Lists, said: string): void {
    notices.say(said, {
      label: 'Undo',
      run: () => {
        void this.#send(() => backend().call('edit_settings', { ...lists, revision: this.view?.revision })).then((problem) => {
          if (problem === null) notices.say('Undone');
          else notices.error(`Not undone: ${problem}`);
        });
      },
    });
  }

  async #send(call: () => Promise<SettingsView>): Promise<string | null> {
    this.saving = true;
    try {
      this.query.data = await call();
      return null;
    } catch (thrown) {
      return toBackendError(thrown).message;
    } finally {
      this.saving = false;
    }
  }
}
