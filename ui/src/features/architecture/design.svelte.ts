import { backend, toBackendError } from '../../lib/backend';
import type { DesignEdit, DesignProblem, DesignShape, DesignText, Update } from '../../lib/bindings';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { EditedText } from '../../shared/text/edited.svelte';
import { changed } from '../../shared/text/history';
import { time } from '../../shared/state/time.svelte';
import { applied, fromWire } from './designEdits';

/** What a design begins with. */
const EMPTY = 'flowglass: design/1\n';

/** The design of the workspace: one text, whoever changes it. */
export class DesignStore extends EditedText {
  /** Its file. */
  path = $state('');
  /** It was read; `there` says whether there is one. */
  loaded = $state(false);
  there = $state(false);
  /** What it says, as last understood. */
  shape = $state.raw<DesignShape | null>(null);
  problem = $state.raw<DesignProblem | null>(null);
  /** What could not be taken over by the last import. */
  notes = $state.raw<string[]>([]);
  /** What an import is doing; null while there is none. */
  reading = $state<string | null>(null);
  /** Counts what was kept, so that others can look again. */
  kept = $state(0);
  /** What the file says, as far as known. */
  #base: string | null = null;

  protected readonly words = { conflict: 'conflict', failed: 'The design could not be kept' };

  protected get isOpen(): boolean {
    return this.loaded;
  }

  /** Takes a pushed change. */
  take(update: Update): void {
    if (update.type === 'reading' && this.reading !== null) this.reading = update.text;
    else if (update.type === 'workspace') {
      this.loaded = false;
      void this.load();
    }
  }

  /** Reads the file, unless there is something here that it does not say yet. */
  async load(): Promise<void> {
    if (this.loaded && !this.isIdle) return;
    const before = this.text;
    await attempt('The design could not be read', async () => {
      const found = await backend().call('design', {});
      if (this.loaded && (!this.isIdle || this.text !== before || found.text === this.#base)) return;
      this.#adopt(found);
    });
  }

  /** Begins an empty one. */
  begin(): void {
    this.there = true;
    this.edit(this.text === '' ? `${EMPTY}title: ""\n` : this.text, 'begin');
  }

  /** Changes the text as the backend says. */
  apply(edits: readonly DesignEdit[], kind: string): void {
    this.edit(applied(this.text, fromWire(edits)), kind);
  }

  /** Takes what was observed, in place of the text; it can be undone. */
  async observe(): Promise<boolean> {
    return await this.#replace('The design could not be made', 'What was observed is the design now', async () => {
      return await backend().call('design_observe', { range: time.range });
    });
  }

  /** Takes files, folders and addresses, in place of the text; it can be undone. */
  async importFrom(paths: string[], allowRemote: boolean): Promise<boolean> {
    this.reading = 'Reading…';
    try {
      return await this.#replace('It could not be imported', 'Imported; it is the design now', () => backend().call('design_import', { paths, allowRemote }));
    } finally {
      this.reading = null;
    }
  }

  /** Stops an import. */
  async stop(): Promise<void> {
    await backend().call('design_import_stop', {}).catch(() => undefined);
  }

  /** The file was changed elsewhere: take that, or write over it. */
  async settle(which: 'theirs' | 'mine'): Promise<void> {
    const { text, history } = this;
    await attempt('The design could not be read', async () => {
      const found = await backend().call('design', {});
      if (which === 'theirs') {
        this.#adopt(found);
        this.history = changed(history, text, false);
        return;
      }
      this.#base = found.text;
      await this.save();
    });
  }

  protected async keep(text: string): Promise<void> {
    const answer = await backend().call('design_save', { text, save: true, base: this.#base });
    this.#base = answer.text;
    this.there = answer.text !== null;
    if (this.text === text) this.#understand(answer);
    this.kept += 1;
  }

  async #replace(what: string, said: string, make: () => Promise<DesignText>): Promise<boolean> {
    try {
      const made = await make();
      this.notes = made.notes;
      this.edit(made.text, 'replace');
      await this.flush();
      const after = this.text;
      notices.say(said, { label: 'Undo', run: () => (this.text === after ? this.undo() : notices.say('The design was changed since: undo one step after the other')) });
      return true;
    } catch (thrown) {
      if (toBackendError(thrown).code === 'cancelled') notices.say('Stopped; nothing was changed');
      else notices.error(what, thrown);
      return false;
    }
  }

  #adopt(found: DesignText): void {
    this.path = found.path;
    this.#base = found.text;
    this.there = found.text !== null;
    this.show(found.text ?? '');
    this.shape = null;
    this.#understand(found);
    this.loaded = true;
    this.kept += 1;
  }

  #understand(found: DesignText): void {
    this.problem = found.problem;
    // While somebody types, what it said last goes on standing there.
    if (found.problem === null) this.shape = found.shape;
  }
}

/** One for the window: its past stays while other areas are shown. */
export const design = new DesignStore();
