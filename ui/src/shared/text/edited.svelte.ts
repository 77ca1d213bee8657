import { toBackendError } from '../../lib/backend';
import { notices } from '../state/notices.svelte';
import { changed, EMPTY, redone, undone, type History } from './history';

/** How long people pause typing before it is kept. */
const SAVE_MS = 350;
/** Changes of the same kind that follow faster than this are one step to undo. */
const BURST_MS = 900;

/** A text with its past that is kept as it changes: forms, drawings and people who type change one and the same. */
export abstract class EditedText {
  /** The text as edited. */
  text = $state('');
  saving = $state<'saved' | 'saving' | 'conflict' | 'failed'>('saved');
  history = $state.raw<History>(EMPTY);
  #burst: { kind: string; at: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | null = null;
  #again = false;
  /** Which text is open: what is still being written of another one says nothing about it. */
  #round = 0;

  /** Keeps the text; throws what went wrong. Called once at a time. */
  protected abstract keep(text: string): Promise<void>;
  /** The error that says that somebody else changed the file, and what to say of others. */
  protected abstract readonly words: { conflict: string; failed: string };
  /** Whether there is something to edit. */
  protected abstract readonly isOpen: boolean;

  /** Changes the text. Changes of the same `kind` in a row are one step to undo; typing is kept when it pauses, all else at once. */
  edit(text: string | null, kind: string): void {
    if (text === null) {
      notices.error('This cannot be changed here: edit the text');
      return;
    }
    if (text === this.text || !this.isOpen) return;
    const now = Date.now();
    const joined = this.#burst !== null && this.#burst.kind === kind && now - this.#burst.at < BURST_MS;
    this.#burst = { kind, at: now };
    this.history = changed(this.history, this.text, joined);
    this.#change(text, kind === 'typing' ? SAVE_MS : 0);
  }

  undo(): void {
    this.#step(undone(this.history, this.text));
  }

  redo(): void {
    this.#step(redone(this.history, this.text));
  }

  /** Keeps what is not kept yet. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.saving === 'saving') await this.save();
  }

  /** Shows another text, which is kept already. */
  protected show(text: string): void {
    clearTimeout(this.#timer);
    this.#round += 1;
    this.text = text;
    this.history = EMPTY;
    this.#burst = null;
    this.saving = 'saved';
  }

  /** Nothing of it waits to be kept. */
  protected get isIdle(): boolean {
    return this.saving === 'saved' && this.#writing === null;
  }

  /** One writes at a time; what changes meanwhile is written next. */
  protected async save(): Promise<void> {
    this.#again = true;
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
    await this.#writing;
  }

  #step(found: { text: string; history: History } | null): void {
    if (found === null) return;
    this.history = found.history;
    this.#burst = null;
    this.#change(found.text, 0);
  }

  #change(text: string, wait: number): void {
    this.text = text;
    this.saving = 'saving';
    clearTimeout(this.#timer);
    if (wait === 0) void this.save();
    else this.#timer = setTimeout(() => void this.save(), wait);
  }

  async #write(): Promise<void> {
    while (this.#again && this.isOpen) {
      this.#again = false;
      const [text, round] = [this.text, this.#round];
      try {
        await this.keep(text);
        if (round !== this.#round) return;
        if (this.text === text) this.saving = 'saved';
      } catch (thrown) {
        if (round !== this.#round) return;
        const isConflict = toBackendError(thrown).code === this.words.conflict;
        this.saving = isConflict ? 'conflict' : 'failed';
        if (!isConflict) notices.error(this.words.failed, thrown);
        return;
      }
    }
  }
}
