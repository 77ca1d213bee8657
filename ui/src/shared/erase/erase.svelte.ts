import { backend, toBackendError, type BackendError } from '../../lib/backend';
import type { EraseReport, EraseRequest, Update } from '../../lib/bindings';
import { notices } from '../state/notices.svelte';
import { time } from '../state/time.svelte';
import { amount } from './words';

/** What is to be deleted: journeys by id or by a filter, a time range, or everything. */
export type EraseWish = Omit<EraseRequest, 'dryRun' | 'roughly' | 'filter'> & { filter?: string | null };

/** The one deletion that is asked about or under way. */
class Erase {
  /** What is asked about; null while the dialog is closed. */
  wish = $state.raw<EraseWish | null>(null);
  /** How much it would be, once counted. */
  report = $state.raw<EraseReport | null>(null);
  error = $state.raw<BackendError | null>(null);
  running = $state(false);
  /** How far it is. */
  progress = $state.raw<{ text: string; share: number } | null>(null);
  #serial = 0;
  #done: (() => void) | undefined;

  /** Opens the dialog and counts. */
  ask(asked: EraseWish, done?: () => void): void {
    if (this.running) return;
    // What comes after the question is not part of the answer.
    const { sinceAt, untilAt } = asked.range;
    const wish = { ...asked, range: { sinceAt, untilAt: untilAt ?? time.now() } };
    const serial = (this.#serial += 1);
    Object.assign(this, { wish, report: null, error: null, progress: null });
    this.#done = done;
    // About how much at once, then to one: counting what belongs to nothing else takes its time where there is much.
    void this.#count(wish, true, serial).then(() => this.#count(wish, false, serial));
  }

  async #count(wish: EraseWish, roughly: boolean, serial: number): Promise<void> {
    if (serial !== this.#serial || this.running) return;
    if (roughly && wish.what === 'everything') return;
    try {
      const report = await backend().call('erase', { filter: null, ...wish, dryRun: true, roughly });
      if (serial === this.#serial) this.report = report;
    } catch (thrown) {
      // What cannot be told roughly may be told exactly.
      if (serial === this.#serial && !roughly) this.error = toBackendError(thrown);
    }
  }

  /** Carries it out. */
  async run(): Promise<void> {
    const wish = this.wish;
    if (!wish || this.running) return;
    this.running = true;
    this.error = null;
    try {
      const report = await backend().call('erase', { filter: null, ...wish, dryRun: false, roughly: false });
      if (report.done) notices.say(`Deleted ${amount(report)}`);
      else notices.say(`Cancelled. Deleted before that: ${amount(report)}`);
      this.#done?.();
      this.wish = null;
    } catch (thrown) {
      this.error = toBackendError(thrown);
    } finally {
      this.running = false;
      this.progress = null;
    }
  }

  /** Closes the dialog; what is under way is stopped after the step in hand. */
  cancel(): void {
    if (this.running) void backend().call('erase_cancel', {});
    else {
      this.#serial += 1;
      this.wish = null;
    }
  }

  /** Takes in what the studio pushes. */
  take(update: Update): void {
    if (update.type === 'erasing' && this.running) this.progress = { text: update.text, share: update.share };
  }
}

export const erase = new Erase();

/** Asks once whether to delete, and says how much; `done` is called when something was deleted. */
export function confirmErase(wish: EraseWish, done?: () => void): void {
  erase.ask(wish, done);
}
