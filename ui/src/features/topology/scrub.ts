import type { Timeline } from '../../lib/bindings';

/** A part of time, milliseconds since the epoch. */
export interface Span {
  from: number;
  to: number;
}

/** The least that can be shown: one bucket of the figures. */
export const LEAST_MS = 10_000;
/** Without a brush the playhead carries a window of this share of the strip. */
const SHARE = 10;

/** Length of the window that the playhead carries. */
export function windowLength(outer: Span, window: Span | null): number {
  const whole = outer.to - outer.from;
  if (window) return Math.min(whole, window.to - window.from);
  return Math.min(whole, Math.max(LEAST_MS, whole / SHARE));
}

/** The window between two instants in either order, inside of the strip and never shorter than it can be shown. */
export function brushed(outer: Span, a: number, b: number): Span {
  const from = clamp(Math.min(a, b), outer.from, outer.to);
  const to = clamp(Math.max(a, b), outer.from, outer.to);
  if (to - from >= LEAST_MS || outer.to - outer.from <= LEAST_MS) return { from, to };
  const start = clamp(from - (LEAST_MS - (to - from)) / 2, outer.from, outer.to - LEAST_MS);
  return { from: start, to: start + LEAST_MS };
}

/** The window that ends at an instant: as long as it was, inside of the strip. */
export function seeked(outer: Span, window: Span | null, at: number): Span {
  const length = windowLength(outer, window);
  const to = clamp(at, outer.from + length, outer.to);
  return { from: to - length, to };
}

/** The strip's own range as the address keeps it. */
export function spanParam(span: Span): string {
  return `${Math.floor(span.from)}-${Math.ceil(span.to)}`;
}

/** The inverse of {@link spanParam}. */
export function spanOf(param: string | null): Span | null {
  const found = /^(\d+)-(\d+)$/.exec(param ?? '');
  if (!found) return null;
  const span = { from: Number(found[1]), to: Number(found[2]) };
  return span.to > span.from ? span : null;
}

/** Whether a window lies in a strip and is not all of it. */
export function isWithin(window: Span, outer: Span): boolean {
  return window.from >= outer.from - 1 && window.to <= outer.to + 1 && window.to - window.from < outer.to - outer.from - 1;
}

/** When errors started: the first bar with 1 % and more (and two errors at least) after a time without; at most `most`, the gravest. */
export function errorStarts({ requests }: Timeline, most = 4): { at: number; share: number }[] {
  const starts: { at: number; share: number; weight: number }[] = [];
  let open: (typeof starts)[number] | null = null;
  let calm = 0;
  for (const { startAt, count, errors } of requests) {
    if (count === 0) continue;
    const share = errors / count;
    if (errors >= 2 && share >= 0.01) {
      if (!open || calm >= 3) starts.push((open = { at: startAt, share, weight: 0 }));
      open.weight += errors;
      open.share = Math.max(open.share, share);
      calm = 0;
    } else {
      calm += 1;
    }
  }
  return starts
    .sort((a, b) => b.weight - a.weight)
    .slice(0, most)
    .sort((a, b) => a.at - b.at)
    .map(({ at, share }) => ({ at, share }));
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
