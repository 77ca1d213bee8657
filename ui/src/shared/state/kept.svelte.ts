import type { Retention } from '../../lib/bindings';
import { day, plural } from '../format';
import { Query } from './query.svelte';

/** What was removed by rule, as a line at the end of a list; null when nothing ever was. */
export function endLine(kept: Retention | null): string | null {
  const total = kept?.total;
  if (!total || total.newestAt === null) return null;
  return `Older data was removed by rule, last on ${day(total.untilAt)} (${total.why}): ${plural(total.journeys, 'journey')} so far. The map keeps their figures.`;
}

/** What the workspace keeps, and what went of it. Asked for by whoever shows it. */
class Kept {
  query = new Query('retention');
  view = $derived<Retention | null>(this.query.data);
  line = $derived(endLine(this.query.data));

  /** Asks again. */
  load(): void {
    void this.query.load({});
  }
}

export const kept = new Kept();
