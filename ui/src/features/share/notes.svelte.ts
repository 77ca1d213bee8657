import { backend } from '../../lib/backend';
import type { NoteView } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { route } from '../../shared/state/route.svelte';
import { attempt, notices } from '../../shared/state/notices.svelte';

/** What a note about a journey is about. */
export function aboutJourney(id: string): string {
  return `journey:${id}`;
}

/** What a note about an event is about. */
export function aboutEvent(row: number): string {
  return `event:${row}`;
}

/** What a note about a participant is about. */
export function aboutNode(id: string): string {
  return `node:${id}`;
}

/** Goes to what a note is about. */
export function openAbout(about: string): void {
  const at = about.indexOf(':');
  const [kind, id] = [about.slice(0, at), about.slice(at + 1)];
  if (kind === 'journey') route.open('journeys', { id });
  else if (kind === 'event') route.open('events', { row: id });
  else if (kind === 'node') route.open('topology', { sel: id });
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
