import type { Item, JourneyView } from '../../lib/bindings';
import { OpenJourney } from '../journeys/journey.svelte';

/** A simulated request as an open journey: it is given, not asked for, and what is selected stays off the address. */
export class Simulated extends OpenJourney {
  #chosen = $state<string | null>(null);
  override selected = $derived<Item | null>(this.view?.items.find((item) => item.uid === this.#chosen) ?? null);

  show(view: JourneyView): void {
    this.collapsed.clear();
    this.#chosen = null;
    this.query.data = view;
  }

  override select(item: Item): void {
    this.#chosen = item.uid;
  }
}
