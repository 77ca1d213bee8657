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
    const [cases, others] = split(files);
    await attempt('Import failed', async () => {
      for (const view of others.length > 0 ? await backend().importFiles(others) : []) this.#started(view);
    });
    const [first] = cases;
    if (first !== undefined) await attempt('The case file was not opened', () => openCase(first));
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

/** Workspaces and case files are opened, everything else is imported. */
function split(files: Picked): [(string | File)[], Picked] {
  const isCase = (file: string | File) => (typeof file === 'string' ? file : file.name).toLowerCase().endsWith('.flowglass');
  const all: (string | File)[] = files;
  return [all.filter(isCase), all.filter((file) => !isCase(file)) as Picked];
}

/** Opens a workspace in place of this one; a browser hands its contents over first. */
async function openCase(file: string | File): Promise<void> {
  if (typeof file === 'string') await backend().call('workspace_open', { path: file, create: false });
  else await backend().call('case_open', { name: file.name, base64: base64Of(new Uint8Array(await file.arrayBuffer())) });
}

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

export const imports = new Imports();
