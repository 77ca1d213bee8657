import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { backend, type Picked } from '../../lib/backend';
import type { ImportView } from '../../lib/bindings';
import { attempt } from '../state/notices.svelte';

/** Imports of this session: what runs, what came of it. */
class Imports {
  #known = new SvelteMap<number, ImportView>();
  #dismissed = new SvelteSet<number>();
  /** What ended since something was last dropped, chosen or pasted: it is shown together. */
  together: ImportView[] = [];
  /** Files are held over the window. */
  dropping = $state(false);
  /** Files are being handed over. */
  sending = $state(false);

  /** Newest first. */
  get all(): ImportView[] {
    return [...this.#known.values()].sort((a, b) => b.id - a.id);
  }

  /** What the strip at the edge of the window shows. */
  get shown(): ImportView[] {
    return this.all.filter((view) => !this.#dismissed.has(view.id));
  }

  /** Takes a pushed state; true when the import has just ended. */
  take(view: ImportView): boolean {
    const before = this.#known.get(view.id);
    this.#known.set(view.id, view);
    const ended = view.state !== 'running' && before?.state !== view.state;
    if (ended) this.together = [...this.together, view];
    return ended;
  }

  dismiss(id: number): void {
    this.#dismissed.add(id);
  }

  /** Opens the file dialog and imports what was chosen. */
  async choose(): Promise<void> {
    await attempt('Choosing files failed', async () => this.files(await backend().pickFiles()));
  }

  /** Imports files. */
  async files(files: Picked): Promise<void> {
    if (files.length === 0) return;
    this.sending = true;
    this.together = [];
    await attempt('Import failed', async () => {
      for (const view of await backend().importFiles(files)) this.#started(view);
    });
    this.sending = false;
  }

  /** Imports pasted text; true when it was taken. */
  text(text: string): Promise<boolean> {
    this.together = [];
    return attempt('Import failed', async () => this.#started(await backend().call('import_text', { text })));
  }

  async cancel(id: number): Promise<void> {
    await attempt('Cancelling failed', () => backend().call('import_cancel', { id: String(id) }));
  }

  #started(view: ImportView): void {
    // A pushed state may have overtaken the answer.
    if (!this.#known.has(view.id)) this.#known.set(view.id, view.state === 'running' ? view : { ...view });
  }
}

export const imports = new Imports();
