import type { SequenceStep } from '../../lib/bindings';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';

/** One journey drawn over the map: who took part is lit, and its messages can be stepped through. */
export class Trail {
  query = new Query('sequence');

  /** The journey, as it stands in the address. */
  id = $derived(route.param('journey'));
  steps = $derived(this.id === null ? [] : (this.query.data?.steps ?? []));
  /** The message stepped to; −1 before the first. */
  at = $derived(Math.min(Number(route.param('step') ?? -1), this.steps.length - 1));
  step = $derived<SequenceStep | null>(this.steps[this.at] ?? null);
  /** Cards and lines of the journey; null while none is drawn. */
  found = $derived.by(() => {
    const view = this.id === null ? null : this.query.data;
    return view && { nodes: new Set(view.lifelines.flatMap((line) => line.node ?? [])), edges: new Set(view.steps.flatMap((step) => step.edge ?? [])) };
  });

  /** Asks for the journey; call it in an effect that depends on its id. */
  load(): void {
    if (this.id === null) this.query.clear();
    else void this.query.load({ id: this.id }, { replace: true });
  }

  /** Goes to the next or previous message and selects its line. */
  go(by: 1 | -1): void {
    this.goTo(Math.max(0, Math.min(this.steps.length - 1, this.at + by)));
  }

  goTo(at: number): void {
    const step = this.steps[at];
    if (step) route.set({ step: String(at), edge: step.edge, sel: step.edge === null ? (this.#node(step) ?? null) : null, also: null });
  }

  /** Name of a lifeline. */
  name(lifeline: number | null): string {
    return lifeline === null ? 'unknown caller' : (this.query.data?.lifelines[lifeline]?.name ?? '');
  }

  close(): void {
    route.set({ journey: null, step: null, edge: null }, { push: true });
  }

  #node(step: SequenceStep): string | null {
    return this.query.data?.lifelines[step.to]?.node ?? null;
  }
}
