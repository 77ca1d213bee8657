import { backend } from '../../lib/backend';
import type { Completion, FilterProblem, Suggestion } from '../../lib/bindings';
import { Paced } from '../state/paced';

/** What is filtered. */
export type FilterView = 'journeys' | 'events' | 'logs' | 'map';

/** Suggestions for an expression being typed, asked of the studio. */
export class Completer {
  items = $state.raw<Suggestion[]>([]);
  problem = $state.raw<FilterProblem | null>(null);
  /** What a suggestion replaces. */
  part = $state.raw<{ from: number; to: number }>({ from: 0, to: 0 });
  #paced = new Paced();

  /** Asks for suggestions at a cursor. */
  ask(text: string, cursor: number, view: FilterView): void {
    this.#paced.ask((isNewest) => this.#load(text, cursor, view, isNewest));
  }

  /** Forgets what is asked and shown. */
  stop(): void {
    this.#paced.stop();
    this.items = [];
  }

  async #load(text: string, cursor: number, view: FilterView, isNewest: () => boolean): Promise<void> {
    let answer: Completion;
    try {
      answer = await backend().call('complete', { text, cursor, view });
    } catch {
      // Without suggestions the field still works; the list itself says what is wrong with a filter.
      return;
    }
    if (!isNewest()) return;
    this.items = answer.items;
    this.problem = answer.problem;
    this.part = { from: answer.from, to: answer.to };
  }
}
