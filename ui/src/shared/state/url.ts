/** The address of a screen: `#/topology?range=60m&sel=…`. Pure, so that back, forward and links can be tested. */

export const AREAS = ['topology', 'journeys', 'events', 'settings'] as const;

/** A place in the rail. */
export type Area = (typeof AREAS)[number];

/** Parameters that mean the same in every area. */
export const GLOBAL_PARAMS = ['range', 'from', 'to', 'env'] as const;

/** An address, taken apart. */
export interface Address {
  area: Area;
  params: Record<string, string>;
}

/** Reads a hash; anything unknown falls back to the map. */
export function parseHash(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const area = AREAS.find((known) => known === path) ?? 'topology';
  return { area, params: Object.fromEntries(new URLSearchParams(query)) };
}

/** Writes a hash; parameters in a fixed order so that equal states have equal addresses. */
export function formatHash({ area, params }: Address): string {
  const sorted = Object.entries(params)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const query = new URLSearchParams(sorted).toString();
  return query === '' ? `#/${area}` : `#/${area}?${query}`;
}

/** Parameters shared by all areas. */
export function globalParams(params: Record<string, string>): Record<string, string> {
  return pick(params, (key) => isGlobal(key));
}

/** Parameters of one area only. */
export function ownParams(params: Record<string, string>): Record<string, string> {
  return pick(params, (key) => !isGlobal(key));
}

/** `params` with a patch applied; `null` and `''` remove. */
export function patched(params: Record<string, string>, patch: Record<string, string | null>): Record<string, string> {
  const next = { ...params };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === '') delete next[key];
    else next[key] = value;
  }
  return next;
}

function isGlobal(key: string): boolean {
  return (GLOBAL_PARAMS as readonly string[]).includes(key);
}

function pick(params: Record<string, string>, keep: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(params).filter(([key]) => keep(key)));
}
