import { toBackendError } from '../../lib/backend';

/** A short message at the edge of the window. */
export interface Notice {
  id: number;
  tone: 'error' | 'info' | 'ok';
  text: string;
  /** A second, quieter line. */
  detail?: string;
  action?: Action;
  /** More than one thing to do. */
  actions?: Action[];
}

interface Action {
  label: string;
  run: () => void;
}

/** Messages to see and to hear. */
class Notices {
  list = $state.raw<Notice[]>([]);
  /** Read out politely by screen readers. */
  spoken = $state('');
  #next = 1;
  /** Somebody is at them: none goes away by itself. */
  #held = false;
  #overdue = new Set<number>();

  /** Shows what went wrong until it is closed. */
  error(what: string, thrown?: unknown): void {
    const text = thrown === undefined ? what : `${what}: ${toBackendError(thrown).message}`;
    this.#add({ tone: 'error', text }, null);
  }

  /** Shows a short confirmation for four seconds; with something to press, for twelve. */
  say(text: string, action?: Notice['action']): void {
    this.#add({ tone: 'ok', text, ...(action ? { action } : {}) }, action ? 12_000 : 4000);
  }

  /** Shows something that happened, which the views show too, for half a minute, and reads it out. */
  alert(text: string, options: { detail?: string; actions: Action[] }): void {
    this.#add({ tone: 'info', text, ...options }, 30_000);
    this.announce(options.detail === undefined ? text : `${text}: ${options.detail}`);
  }

  /** Reads out a change of state; says nothing on screen. */
  announce(text: string): void {
    this.spoken = text;
  }

  /** While the pointer or the focus is on them they stay. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) return;
    this.#overdue.forEach((id) => this.close(id));
    this.#overdue.clear();
  }

  close(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(notice: Omit<Notice, 'id'>, ms: number | null): void {
    const id = this.#next++;
    // The same message twice is one message.
    this.list = [...this.list.filter((known) => known.text !== notice.text).slice(-3), { ...notice, id }];
    if (ms !== null) setTimeout(() => (this.#held ? this.#overdue.add(id) : this.close(id)), ms);
  }
}

export const notices = new Notices();

/** Runs something and shows its failure as a notice; true when it went well. */
export async function attempt(what: string, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (thrown) {
    notices.error(what, thrown);
    return false;
  }
}
