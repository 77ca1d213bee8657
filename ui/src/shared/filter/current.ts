import { route } from '../state/route.svelte';
import type { FilterView } from './complete.svelte';
import { withTerm } from './terms';

/** The address parameter that holds the filter, the same in every view. */
export const PARAM = 'q';

/** What the filter of the shown view filters, or null where there is none. */
export function currentView(): FilterView | null {
  if (route.area === 'journeys') return 'journeys';
  if (route.area === 'events') return route.param('tab') === 'logs' ? 'logs' : 'events';
  return route.area === 'topology' ? 'map' : null;
}

/** The filter of the shown view. */
export function currentFilter(): string {
  return route.param(PARAM) ?? '';
}

/** Replaces the filter of the shown view. */
export function setFilter(expr: string): void {
  route.set({ [PARAM]: expr });
}

/** Adds a term to the filter of the shown view; what was found by id gives way to it. */
export function addTerm(field: string | null, value: string, negate = false): void {
  route.set({ [PARAM]: withTerm(currentFilter(), field, value, negate), find: null }, { push: true });
}

const EVERYWHERE = ['service'];
const FIELDS: Record<FilterView, string[]> = {
  journeys: [...EVERYWHERE, 'subject', 'system', 'layer', 'env', 'operation', 'state', 'key', 'trace', 'span', 'id', '@'],
  events: [...EVERYWHERE, 'subject', 'type', 'system', 'stream', 'source', 'key', 'trace', 'span', 'id', '@'],
  logs: [...EVERYWHERE, 'level', 'type', 'layer', 'env', 'trace', 'span', '@'],
  map: [...EVERYWHERE, 'subject', 'system', 'layer', 'env', 'operation'],
};

/** Whether a view can be filtered by a field (`key.orderId` and `@name` included). */
export function has(view: FilterView, field: string): boolean {
  const name = field.startsWith('@') ? '@' : field.startsWith('key.') ? 'key' : field;
  return FIELDS[view].includes(name);
}
