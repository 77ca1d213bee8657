import { untrack } from 'svelte';
import type { DifferenceRow, FindingView } from '../../lib/bindings';
import { rangeOf } from '../../shared/ranges/compare';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import type { MapEdge } from '../../shared/landscape/merge';
import { gatherChanges, gatherFindings, type Sign } from './signs';

/** What is laid over the map. */
export type Signed = 'none' | 'findings' | 'changes';

/** Live maps ask for findings again after this long at most: judging must not keep the machine busy. */
const AGAIN_MS = 30_000;

/** Marks laid over participants and interactions: broken rules, or what has changed between two ranges. */
export class Signs {
  findings = new Query('findings');
  changes = new Query('difference');
  #askedAt = 0;
  #scope = '';

  kind = $derived<Signed>(signedOf(route.param('signs')));
  slow = $derived(this.kind === 'findings' ? this.findings.slow : this.kind === 'changes' && this.changes.slow);
  error = $derived(this.kind === 'findings' ? this.findings.error : this.kind === 'changes' ? this.changes.error : null);
  open = $derived<FindingView[]>((this.findings.data?.findings ?? []).filter((finding) => finding.waiver === null));
  rows = $derived<DifferenceRow[]>(this.changes.data?.changes ?? []);

  /** Signs by participant and by interaction of the edges that are drawn. */
  of(edges: readonly MapEdge[]): { nodes: Map<string, Sign>; edges: Map<string, Sign> } {
    if (this.kind === 'findings') return gatherFindings(this.open, edges);
    if (this.kind === 'changes') return gatherChanges(this.rows);
    return { nodes: new Map(), edges: new Map() };
  }

  /** Keeps it up to date; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      const [kind, scope, range] = [this.kind, JSON.stringify(time.choice), time.range];
      const both = [rangeOf(route.param('before')), rangeOf(route.param('after'))] as const;
      untrack(() => {
        const key = `${kind} ${scope} ${JSON.stringify(both)}`;
        const moved = key !== this.#scope;
        if (kind === 'none' || (!moved && (kind === 'changes' || time.now() - this.#askedAt < AGAIN_MS))) return;
        this.#scope = key;
        this.#askedAt = time.now();
        const [before, after] = both;
        if (kind === 'findings') void this.findings.load({ range, again: false }, { replace: moved });
        else if (before && after) void this.changes.load({ before, after }, { replace: moved });
      });
    });
  }
}

function signedOf(text: string | null): Signed {
  return text === 'findings' || text === 'changes' ? text : 'none';
}
