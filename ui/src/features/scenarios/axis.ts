/** Axes of times. */

const NBSP = '\u00a0';
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400];

/** A time on an axis, short: `0`, `100 ms`, `1 s`, `100 s`, `5 min`. */
export function tickTime(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${Number((ms * 1000).toPrecision(3))}${NBSP}µs`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))}${NBSP}ms`;
  return `${Number((ms / 1000).toPrecision(4))}${NBSP}s`;
}

/** Whole seconds, minutes or hours from nothing to `most`, about so many. */
export function clockTicks(most: number, count: number): { at: number; label: string }[] {
  const step = (STEPS_S.find((seconds) => most / (seconds * 1000) <= count) ?? 86_400) * 1000;
  const [unit, word] = step >= 3_600_000 ? [3_600_000, 'h'] : step >= 60_000 ? [60_000, 'min'] : [1000, 's'];
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => ({ at: i * step, label: i === 0 ? '0' : `${Number(((i * step) / unit).toPrecision(3))}${NBSP}${word}` }));
}

/** Powers of ten between two values; every other one where they would be many. */
export function decades(low: number, high: number): number[] {
  const all: number[] = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high * 1.000001; power += 1) all.push(10 ** power);
  return all.length > 5 ? all.filter((_, i) => i % 2 === 0) : all;
}

/** Where a chart's two panels lie; pixels. */
export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Height of one panel. */
  tall: number;
  topOf: (row: number) => number;
}
