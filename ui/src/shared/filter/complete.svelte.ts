import { backend } from '../../lib/backend';
import type { Completion, FilterProblem, Suggestion } from '../../lib/bindings';

/** What is filtered. */
export type FilterView = 'journeys' | 'events' | 'logs' | 'map';

const WAIT_MS = 90;

/** Suggestions for an expression being typed, asked of the studio a moment after the last key. */
export class Completer {
  items = $state.raw<Suggestion[]>([]);
  problem = $state.raw<FilterProblem | null>(null);
  /** What a suggestion replaces. */
  part = $state.raw<{ from: number; to: number }>({ from: 0, to: 0 });
  #serial = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks for suggestions at a cursor. */
  ask(text: string, cursor: number, view: FilterView): void {
    clearTimeout(this.#timer);
    const serial = (this.#serial += 1);
    this.#timer = setTimeout(() => void this.#load(serial, text, cursor, view), WAIT_MS);
  }

  /** Forgets what is asked and shown. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#serial += 1;
    this.items = [];
  }

  async #load(serial: number, text: string, cursor: number, view: FilterView): Promise<void> {
    let answer: Completion;
    try {
      answer = await backend().call('complete', { text, cursor, view });
    } catch {
      // Without suggestions the field still works; the list itself says what is wrong with a filter.
      return;
    }
    if (serial !== this.#serial) return;
    this.items = answer.items;
    this.problem = answer.problem;
    this.part = { from: answer.from, to: answer.to };
  }
}
