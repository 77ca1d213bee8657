import type { Item } from '../../lib/bindings';

/** Where a bar and what belongs to it stands. */
export interface BarPlace {
  x: number;
  width: number;
  /** The failure's badge fits into the bar. */
  inside: boolean;
  /** Where duration and pills stand: right of the bar, inside of its right end, or left of it. */
  beside: 'after' | 'inside' | 'before';
  /** The retry pill has room left of the bar. */
  retryBefore: boolean;
}

const LEAST = 2;
const PER_LETTER = 5.8;
const PILL = 42;

/** Decides by estimated widths of the words; `soft` is where the next gap begins, `hard` where the chart ends. A bar is never thinner than it can be seen. */
export function barPlace(item: Pick<Item, 'status' | 'badge' | 'retry' | 'delivery'>, from: number, to: number, soft: number, hard: number): BarPlace {
  const wide = Math.max(LEAST, to - from);
  const failed = item.status === 'error';
  const badge = failed ? (item.badge ?? 'error').length * PER_LETTER + 24 : 0;
  const inside = failed && wide >= badge;
  const pill = item.delivery !== null && (item.delivery > 1 || failed) ? PILL : 0;
  const retryBefore = item.retry !== null && from > 84;
  const beside = 50 + pill + (inside ? 0 : badge) + (item.retry !== null && !retryBefore ? 62 : 0);
  const end = from + wide + 7 + beside;
  const roomy = wide > beside + (inside ? badge : 0) + 8;
  const place = end <= soft ? 'after' : roomy ? 'inside' : end <= hard || from <= beside + 20 ? 'after' : 'before';
  return { x: from, width: wide, inside, beside: place, retryBefore: retryBefore && place !== 'before' };
}
