import { backend, toBackendError, type BackendError } from '../../lib/backend';
import { app } from '../state/app.svelte';
import { route } from '../state/route.svelte';
import { time } from '../state/time.svelte';
import { merge, withoutFolds, type Landscape, type MapEdge, type MapNode } from './merge';
import { foldedDomains, selectedIds } from './params';

const SLOW_MS = 300;

/** The map's data, shared by Topology, search and whoever needs names of participants. */
class LandscapeStore {
  current = $state.raw<Landscape | null>(null);
  error = $state.raw<BackendError | null>(null);
  slow = $state(false);
  /** Grows with every deliberate new layout, so that it can be animated. */
  relayouts = $state(0);

  nodes = $derived<MapNode[]>(this.current ? [...this.current.nodes.values()] : []);
  edges = $derived<MapEdge[]>(this.current ? [...this.current.edges.values()] : []);

  /** Range length and environment the shown revision belongs to. */
  #scope = '';
  #environment: string | null = null;
  #busy = false;
  #again: { relayout: boolean } | null = null;

  node(id: string): MapNode | undefined {
    return this.current?.nodes.get(id);
  }

  /** Name of a participant, or its id where the map does not have it. */
  nameOf(id: string): string {
    return this.node(id)?.name ?? id;
  }

  /** Asks for the map, or what changed of it since the shown revision. */
  async refresh(options: { relayout?: boolean } = {}): Promise<void> {
    const relayout = options.relayout ?? false;
    if (this.#busy) {
      this.#again = { relayout: relayout || (this.#again?.relayout ?? false) };
      return;
    }
    this.#busy = true;
    const timer = setTimeout(() => (this.slow = true), SLOW_MS);
    try {
      await this.#ask(relayout);
      this.error = null;
    } catch (thrown) {
      this.error = toBackendError(thrown);
    } finally {
      clearTimeout(timer);
      this.slow = false;
      this.#busy = false;
      const again = this.#again;
      this.#again = null;
      if (again) void this.refresh(again);
    }
  }

  async #ask(relayout: boolean): Promise<void> {
    const range = time.range;
    const environment = app.environment;
    const folded = foldedDomains(route.param('fold'));
    const keep = [...selectedIds(route.params)];
    const moving = time.live || time.scrub !== null;
    const scope = `${moving ? time.length : `${range.sinceAt}|${range.untilAt}`}|${environment}`;
    const known = scope === this.#scope && !relayout ? (this.current?.revision ?? null) : null;
    const view = await backend().call('topology', { range, environment, knownRevision: known, relayout, folded, keep });
    const within = !relayout && environment === this.#environment && (time.scrub !== null || (time.choice.kind === 'fixed' && route.param('strip') !== null));
    this.#scope = scope;
    this.#environment = environment;
    const keepMs = within ? Number.POSITIVE_INFINITY : (time.length ?? Number.POSITIVE_INFINITY);
    this.current = withoutFolds(merge(this.current, view, time.now(), keepMs, within));
    if (relayout) this.relayouts += 1;
  }
}

export const landscape = new LandscapeStore();
