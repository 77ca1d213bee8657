import { backend } from '../../lib/backend';
import type { NoteView } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { attempt, notices } from '../../shared/state/notices.svelte';

/** What a note about a journey is about. */
export function aboutJourney(id: string): string {
  return `journey:${id}`;
}

/** The journey a note is about; null when it is about something else. */
export function journeyOf(about: string): string | null {
  return about.startsWith('journey:') ? about.slice('journey:'.length) : null;
}

/** Notes and bookmarks of the workspace. */
class NoteList {
  /** Newest first. */
  list = $state.raw<NoteView[]>([]);
  bookmarks = $derived(this.list.filter((note) => note.bookmarked));
  #asked = false;

  /** Loads them once and again whenever they change; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      if (!this.#asked) void this.load();
      this.#asked = true;
      return app.listen((update) => {
        if (update.type === 'notes' || update.type === 'workspace' || update.type === 'erased') void this.load();
      });
    });
  }

  async load(): Promise<void> {
    await attempt('Notes could not be read', async () => {
      this.list = (await backend().call('notes', {})).notes;
    });
  }

  /** The note about something; null when there is none. */
  of(about: string): NoteView | null {
    return this.list.find((note) => note.about === about) ?? null;
  }

  /** Keeps a note and offers to take that back. */
  async set(note: Omit<NoteView, 'at'>, said: string): Promise<boolean> {
    const before = this.of(note.about) ?? { ...note, text: '', bookmarked: false };
    const kept = await attempt('The note could not be kept', () => this.#keep(note));
    if (kept) notices.say(said, { label: 'Undo', run: () => void attempt('The note could not be restored', () => this.#keep(before)) });
    return kept;
  }

  async #keep({ about, title, text, bookmarked }: Omit<NoteView, 'at'>): Promise<void> {
    this.list = (await backend().call('set_note', { about, title, text, bookmarked })).notes;
  }
}

export const notes = new NoteList();
