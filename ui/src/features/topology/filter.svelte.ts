import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import { app } from '../../shared/state/app.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { Trail } from './trail.svelte';

/** The map's filter: what the studio says an expression means. What it does not mean is dimmed, or hidden. */
export class MapFilter {
  /** A journey drawn over the map takes the expression's place. */
  trail = new Trail();
  #query = new Query('map_matches');
  #asked = '';

  /** The expression, as it stands in the address. */
  text = $derived(route.param('q') ?? '');
  /** Whether what does not match is hidden. */
  hiding = $derived(route.param('hide') === 'yes');
  error = $derived(this.text === '' ? null : this.#query.error);
  /** What matches, when an answer is there. */
  found = $derived.by(() => {
    if (this.trail.found) return this.trail.found;
    const found = this.text === '' || this.#query.error ? null : this.#query.data;
    return found && { nodes: new Set(found.nodes), edges: new Set(found.edges) };
  });
  /** Whether an answer is there. */
  active = $derived(this.found !== null);
  hides = $derived(this.active && this.hiding);
  /** Participants that match. */
  count = $derived(this.found?.nodes.size ?? 0);

  set(text: string): void {
    route.set({ q: text });
  }

  setHiding(on: boolean): void {
    route.set({ hide: on ? 'yes' : null });
  }

  /** Asks again; call it in an effect that depends on range and expression. */
  load(): void {
    const filter = this.text;
    if (filter === '') return this.#query.clear();
    const replace = filter !== this.#asked;
    this.#asked = filter;
    void this.#query.load({ filter, range: time.range, environment: app.environment }, { replace });
  }

  hasNode(node: MapNode): boolean {
    return !this.found || hasNode(this.found, node);
  }

  hasEdge(edge: MapEdge): boolean {
    return !this.found || hasEdge(this.found, edge);
  }
}

/** Ids of what an expression means. */
interface Found {
  nodes: ReadonlySet<string>;
  edges: ReadonlySet<string>;
}

/** Whether a card matches, or somebody behind it. */
export function hasNode(found: Found, node: MapNode): boolean {
  return found.nodes.has(node.id) || node.members.some((member) => found.nodes.has(member.id));
}

/** Whether an interaction matches. Those of folded domains stand for many: they match. */
export function hasEdge(found: Found, edge: MapEdge): boolean {
  return found.edges.has(edge.id) || edge.source.startsWith('group:') || edge.target.startsWith('group:');
}
