/** A rectangle of the points: a time range and a range of durations. */
export interface Pick {
  sinceAt: number;
  untilAt: number;
  lowMs: number;
  highMs: number;
}

/** Reads a pick from an address: `since,until,low,high`, instants in milliseconds and durations in milliseconds. */
export function pickOf(text: string | null): Pick | null {
  const numbers = (text ?? '').split(',').map(Number);
  const [sinceAt, untilAt, lowMs, highMs] = numbers;
  if (numbers.length !== 4 || numbers.some((n) => !Number.isFinite(n))) return null;
  if (sinceAt === undefined || untilAt === undefined || lowMs === undefined || highMs === undefined) return null;
  return sinceAt < untilAt && lowMs <= highMs ? { sinceAt, untilAt, lowMs, highMs } : null;
}

/** The inverse of {@link pickOf}: rounded outwards, so that nothing drawn inside falls out. */
export function pickParam(pick: Pick): string {
  const low = Math.floor(pick.lowMs * 1000) / 1000;
  const high = Math.ceil(pick.highMs * 1000) / 1000;
  return [Math.floor(pick.sinceAt), Math.ceil(pick.untilAt), low, high].join(',');
}

/** Places on a plot: time from left to right, durations on a logarithmic scale from below. */
export interface Plot {
  fromAt: number;
  toAt: number;
  lowMs: number;
  highMs: number;
  width: number;
  height: number;
}

/** A plot that holds all points, its durations widened to whole powers of ten where that is near. */
export function plotOf(points: readonly { at: number; ms: number }[], width: number, height: number): Plot {
  const durations = points.map((point) => Math.max(point.ms, 0.01));
  const low = durations.reduce((a, b) => Math.min(a, b), Infinity);
  const high = durations.reduce((a, b) => Math.max(a, b), 0);
  const fromAt = points.reduce((a, point) => Math.min(a, point.at), Infinity);
  const toAt = points.reduce((a, point) => Math.max(a, point.at), -Infinity);
  const some = points.length > 0;
  return { fromAt: some ? fromAt : 0, toAt: some ? Math.max(toAt, fromAt + 1) : 1, lowMs: some ? low * 0.8 : 1, highMs: some ? Math.max(high * 1.25, low * 2) : 10, width, height };
}

export function xOf(plot: Plot, at: number): number {
  return ((at - plot.fromAt) / (plot.toAt - plot.fromAt)) * plot.width;
}

export function yOf(plot: Plot, ms: number): number {
  const share = Math.log(Math.max(ms, 0.01) / plot.lowMs) / Math.log(plot.highMs / plot.lowMs);
  return plot.height - share * plot.height;
}

/** The pick between two corners of a plot. */
export function pickBetween(plot: Plot, a: { x: number; y: number }, b: { x: number; y: number }): Pick {
  const at = (x: number) => plot.fromAt + (Math.max(0, Math.min(plot.width, x)) / plot.width) * (plot.toAt - plot.fromAt);
  const ms = (y: number) => plot.lowMs * (plot.highMs / plot.lowMs) ** (1 - Math.max(0, Math.min(plot.height, y)) / plot.height);
  return { sinceAt: at(Math.min(a.x, b.x)), untilAt: at(Math.max(a.x, b.x)) + 1, lowMs: ms(Math.max(a.y, b.y)), highMs: ms(Math.min(a.y, b.y)) };
}

/** Marks of a logarithmic scale: powers of ten, and where there is room two and five times them. */
export function durationTicks(plot: Plot): number[] {
  const decades = Math.log10(plot.highMs / plot.lowMs);
  const steps = decades < 1.2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(plot.lowMs)); power <= Math.ceil(Math.log10(plot.highMs)); power += 1) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  return ticks.filter((tick) => tick >= plot.lowMs && tick <= plot.highMs);
}
