import type { Estimate } from '../../lib/bindings';
import { duration, rate } from '../../shared/format';

const NBSP = '\u00a0';
/** What a figure is of. */
export type Unit = 'ms' | 'share' | 'rate' | 'count';

/** A figure as people read it: `412 ms`, `99.98 %`, `118/s`. */
export function figure(value: number | null | undefined, unit: Unit | string): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'ms') return duration(value);
  if (unit === 'share') return share(value);
  if (unit === 'rate') return rate(value);
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** A share in percent, finer near both ends: `0.02 %`, `61.2 %`, `99.98 %`. */
export function share(value: number): string {
  const percent = value * 100;
  const fine = percent > 0 && (percent < 1 || percent > 99) && percent < 100;
  return `${percent.toFixed(fine ? 2 : 1)}${NBSP}%`;
}

/** The interval of a figure: `404, 421`; empty where it has none. */
export function interval(found: Estimate, unit: Unit | string): string {
  if (found.low === null || found.high === null) return '';
  if (found.low === found.high) return 'exact';
  return `${figure(found.low, unit)} – ${figure(found.high, unit)}`;
}

/** A difference with its sign: `−436 ms`, `+38.8 points`. */
export function signed(value: number | null, unit: Unit | string): string {
  if (value === null) return '–';
  const sign = value > 0 ? '+' : value < 0 ? '−' : '±';
  const size = Math.abs(value);
  if (unit === 'share') return `${sign}${Number((size * 100).toPrecision(3))}${NBSP}pt`;
  return `${sign}${unit === 'rate' ? `${Number(size.toPrecision(3))}/s` : figure(size, unit)}`;
}

/** A figure with its interval, in words for tables and speech: `412 ms (404 to 421)`. */
export function spoken(found: Estimate, unit: Unit | string): string {
  if (found.value === null) return `none: ${found.why ?? 'not known'}`;
  const between = found.low !== null && found.high !== null && found.low !== found.high ? ` (${figure(found.low, unit)} to ${figure(found.high, unit)})` : '';
  return `${figure(found.value, unit)}${between}`;
}

/** The letter under which a variant is compared. */
export type Letter = 'A' | 'B';

/** Two variants side by side. */
export interface Pair {
  a: string;
  b: string;
}
