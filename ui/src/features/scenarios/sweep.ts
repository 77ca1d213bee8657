import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line as lineOf } from 'd3-shape';
import type { Estimate, LoadSweep, SweepPoint } from '../../lib/bindings';
import { decades } from './axis';
import { saturation } from './compare';
import { figure, spoken } from './words';

/** Which time of a load. */
export type Of = 'responseP95' | 'settledP95';
/** A scale as far as drawing needs it. */
export type Scale = (value: number) => number;

function of(point: SweepPoint, name: string, which: Of): Estimate | null {
  return point.variants.find((one) => one.name === name)?.[which] ?? null;
}

/** Scale and ticks of a time: from nothing up where figures are of one size, logarithmic where they are not. */
export function niceTicks(sweep: LoadSweep | null, names: readonly string[], which: Of, target: number | null, range: [number, number]): { scale: Scale; ticks: number[] } {
  const values = (sweep?.points ?? []).flatMap((point) => names.map((name) => of(point, name, which)?.value ?? null)).filter((value) => value !== null && value > 0) as number[];
  const all = target === null ? values : [...values, target];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  if (all.length === 0) return { scale: scaleLinear([0, 1], range), ticks: [] };
  if (high / low < 25) {
    const scale = scaleLinear([0, high * 1.08], range).nice(3);
    return { scale, ticks: scale.ticks(3) };
  }
  const scale = scaleLog([low / 1.5, high * 1.5], range).clamp(true);
  return { scale, ticks: decades(low / 1.5, high * 1.5) };
}

/** A variant's line; it breaks off where the time does not exist. */
export function line(sweep: LoadSweep, name: string, which: Of, x: Scale, y: Scale): string {
  const drawn = lineOf<SweepPoint>()
    .defined((point) => typeof of(point, name, which)?.value === 'number')
    .x((point) => x(point.rate))
    .y((point) => y(of(point, name, which)?.value ?? 0));
  return drawn(sweep.points) ?? '';
}

/** The intervals around it. */
export function band(sweep: LoadSweep, name: string, which: Of, x: Scale, y: Scale): string {
  const drawn = area<SweepPoint>()
    .defined((point) => typeof of(point, name, which)?.low === 'number' && typeof of(point, name, which)?.high === 'number')
    .x((point) => x(point.rate))
    .y0((point) => y(Math.max(of(point, name, which)?.low ?? 0, 1e-3)))
    .y1((point) => y(of(point, name, which)?.high ?? 0));
  return drawn(sweep.points) ?? '';
}

/** Where a variant's line ends. */
export function lastOf(sweep: LoadSweep, name: string, which: Of): { rate: number; ms: number } | null {
  const points = sweep.points.flatMap((point) => {
    const ms = of(point, name, which)?.value ?? null;
    return ms === null ? [] : [{ rate: point.rate, ms }];
  });
  return points.at(-1) ?? null;
}

/** What the chart says. */
export function sweepSentence(sweep: LoadSweep, a: string, b: string | null): string {
  const most = sweep.points.at(-1)?.rate ?? 0;
  const limits = [['A', a] as const, ...(b === null ? [] : [['B', b] as const])].map(([letter, name]) => {
    const at = saturation(sweep, name);
    return at === null ? `${letter} keeps up to ${figure(most, 'rate')}, the highest tried` : `${letter} cannot keep up from ${figure(at, 'rate')} on`;
  });
  return `${limits.join('; ')}. Today ${figure(sweep.now, 'rate')}; what is planned (outages, bursts) is included.`;
}

/** The chart as a table. */
export function sweepTable(sweep: LoadSweep | null, a: string, b: string | null): { head: string[]; rows: (string | number | null)[][] } {
  const names = b === null ? [a] : [a, b];
  const head = ['Load', ...names.flatMap((name, i) => [`${'AB'[i]} ${name}, answered`, `${'AB'[i]} ${name}, all done`])];
  const rows = (sweep?.points ?? []).map((point) => [figure(point.rate, 'rate'), ...names.flatMap((name) => (['responseP95', 'settledP95'] as const).map((which) => cell(of(point, name, which))))]);
  return { head, rows };
}

function cell(found: Estimate | null): string | null {
  if (found === null) return null;
  return found.value === null ? 'cannot keep up' : spoken(found, 'ms');
}
