/** The address of a screen: `#/topology?range=60m&sel=…`. Pure, so that back, forward and links can be tested. */

export const AREAS = ['topology', 'journeys', 'events', 'scenarios', 'architecture', 'settings'] as const;

/** A place in the rail. */
export type Area = (typeof AREAS)[number];

/** Parameters that mean the same in every area. */
export const GLOBAL_PARAMS = ['range', 'from', 'to', 'since', 'until', 'env'] as const;

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

/** A change of the address: which parameters, and when (milliseconds). */
export interface Change {
  keys: string;
  at: number;
}

/** Changes of the same parameters that follow each other faster than this are one step to go back. */
export const BURST_MS = 800;

/** The parameters in which two addresses differ, as one text; empty when they are the same. */
export function changedKeys(before: Record<string, string>, after: Record<string, string>): string {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => before[key] !== after[key]).sort().join(' ');
}

/** Whether a change is a step of its own to go back: not while somebody types, drags or holds a key down. */
export function isStep(last: Change | null, next: Change): boolean {
  return next.keys !== '' && !(last !== null && last.keys === next.keys && next.at - last.at < BURST_MS);
}

/**
 * The hash in a link that somebody pasted, or null: `http://127.0.0.1:4321/#/events?row=7`, `flowglass#/events?row=7`, `#/events`,
 * `flowglass://journey/4bf9…?span=…`, `flowglass://find/ORD-17`.
 */
export function hashIn(text: string): string | null {
  const deep = /^flowglass:\/\/(journey|find)\/([^/?#\s]{1,300})(?:\?span=([\w:.-]{1,120}))?\/?$/.exec(text.trim());
  if (deep?.[1] === 'journey' && /^[0-9a-f]{1,32}$/i.test(deep[2] ?? '')) {
    return formatHash({ area: 'journeys', params: { id: (deep[2] ?? '').toLowerCase(), ...(deep[3] ? { span: deep[3] } : {}) } });
  }
  if (deep?.[1] === 'find') return formatHash({ area: 'journeys', params: { find: plain(deep[2] ?? '') } });
  const at = text.indexOf('#/');
  if (at < 0 || !/^(https?:\/\/|flowglass|tauri:|#\/)/.test(text.trim())) return null;
  return text.slice(at).trim();
}

/** A percent-encoded word; as it stands when it is not encoded rightly. */
function plain(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

function isGlobal(key: string): boolean {
  return (GLOBAL_PARAMS as readonly string[]).includes(key);
}

function pick(params: Record<string, string>, keep: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(params).filter(([key]) => keep(key)));
}
