import { backend } from '../../lib/backend';
import type { VersionArrival } from '../../lib/bindings';

/** Versions change seldom: asked for again after this long at most. */
const AGAIN_MS = 30_000;

/** Versions of services that came while somebody watched, as their telemetry says. */
class Versions {
  /** Oldest first. */
  list = $state.raw<VersionArrival[]>([]);
  #askedAt = -Infinity;

  /** Asks for them, unless that was done a moment ago. What cannot be read stays as it was: it is only a mark. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#askedAt < AGAIN_MS) return;
    this.#askedAt = performance.now();
    try {
      this.list = (await backend().call('versions', { range: { sinceAt: null, untilAt: null } })).changes;
    } catch {
      this.#askedAt = -Infinity;
    }
  }
}

export const versions = new Versions();
