import { backend, toBackendError, type BackendError } from '../../lib/backend';
import type { Requests } from '../../lib/bindings';

/** How long an answer may take before anything shows that it does. */
const SLOW_MS = 300;

/**
 * One request and its newest answer. Keeps the last data while asking again, forgets answers that come
 * too late, and never asks twice at once: what changes meanwhile is asked when the answer is there.
 */
export class Query<K extends keyof Requests> {
  data = $state.raw<Requests[K][1] | null>(null);
  error = $state.raw<BackendError | null>(null);
  /** An answer takes longer than 300 ms. */
  slow = $state(false);
  #name: K;
  #serial = 0;
  #running: string | null = null;
  #waiting: Requests[K][0] | null = null;

  constructor(name: K) {
    this.#name = name;
  }

  /** Forgets data and anything under way. */
  clear(): void {
    this.#serial += 1;
    this.#running = null;
    this.#waiting = null;
    this.data = null;
    this.error = null;
    this.slow = false;
  }

  /**
   * Asks. With `replace` (another selection, another filter) the answer under way is dropped;
   * without (a live refresh of the same thing) it is awaited first.
   */
  async load(arg: Requests[K][0], options: { replace?: boolean } = {}): Promise<void> {
    if (this.#running !== null && !options.replace) {
      this.#waiting = arg;
      return;
    }
    const serial = (this.#serial += 1);
    this.#running = String(serial);
    this.#waiting = null;
    const timer = setTimeout(() => {
      if (serial === this.#serial) this.slow = true;
    }, SLOW_MS);
    try {
      const data = await backend().call(this.#name, arg);
      if (serial !== this.#serial) return;
      this.data = data;
      this.error = null;
    } catch (thrown) {
      if (serial !== this.#serial) return;
      this.error = toBackendError(thrown);
    } finally {
      clearTimeout(timer);
      if (serial === this.#serial) {
        this.#running = null;
        this.slow = false;
        const next = this.#waiting;
        this.#waiting = null;
        if (next !== null) void this.load(next);
      }
    }
  }
}
