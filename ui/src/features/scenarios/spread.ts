import type { Spread, WorkloadResult } from '../../lib/bindings';
import type { Scale } from './sweep';
import { figure, spoken } from './words';

/** Of 100 requests, so many. */
const LEVELS = [50, 90, 95, 99];

/** A curve of shares over time, drawn. */
export function curveOf(curve: readonly (readonly [number, number])[], x: Scale, y: Scale): string {
  const points = curve.filter(([ms]) => ms > 0);
  return points.length === 0 ? '' : `M${points.map(([ms, share]) => `${x(ms).toFixed(1)},${y(share).toFixed(1)}`).join('L')}`;
}

/** Where half of the requests are. */
export function medianOf(curve: readonly (readonly [number, number])[]): number | null {
  return curve.find(([ms, share]) => share >= 0.5 && ms > 0)?.[0] ?? null;
}

function within(letter: string, w: WorkloadResult): string {
  const [response, settled] = [w.response.p95.value, w.settled.p95.value];
  if (response === null) return `${letter} never catches up`;
  return `${letter} answers 95 of 100 within ${figure(response, 'ms')}${settled === null ? ', and never has all done' : ` and has all done within ${figure(settled, 'ms')}`}`;
}

/** What the chart says. */
export function spreadSentence(a: WorkloadResult | null, b: WorkloadResult | null): string {
  if (a === null && b === null) return 'Run the scenario to see how long answers take.';
  return `${[a && within('A', a), b && within('B', b)].filter(Boolean).join('; ')}.`;
}

/** The chart as a table. */
export function spreadTable(a: WorkloadResult | null, b: WorkloadResult | null): { head: string[]; rows: (string | number | null)[][] } {
  const shown = [a, b].flatMap((w, i) => (w ? [{ letter: 'AB'[i]!, w }] : []));
  const head = ['Of 100 requests', ...shown.flatMap(({ letter }) => [`${letter} answered within`, `${letter} all done within`])];
  const at = (spread: Spread, level: number) => [spread.p50, spread.p90, spread.p95, spread.p99][LEVELS.indexOf(level)]!;
  const rows = LEVELS.map((level) => [level, ...shown.flatMap(({ w }) => [spoken(at(w.response, level), 'ms'), spoken(at(w.settled, level), 'ms')])]);
  return { head, rows };
}
