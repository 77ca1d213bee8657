import type { Bucket, Timeline } from '../../lib/bindings';

/** Bars of the strip as SVG paths, and the newest figures per second. */
export interface Bars {
  requests: string;
  errors: string;
  events: string;
  newest: { requests: number; errors: number; events: number } | null;
}

/** Draws requests with their errors on one scale `tall` pixels high, events below on their own, `low` pixels high. */
export function bars(timeline: Timeline, width: number, tall: number, low: number): Bars {
  const { requests, events } = timeline;
  const most = Math.max(1, ...requests.map((bucket) => bucket.count));
  const mostEvents = Math.max(1, ...events.map((bucket) => bucket.count));
  return {
    requests: path(requests.map((bucket) => (bucket.count / most) * tall), width, tall),
    errors: path(requests.map((bucket) => (bucket.errors / most) * tall), width, tall),
    events: path(events.map((bucket) => (bucket.count / mostEvents) * low), width, tall + low + 8),
    newest: newest(requests, events),
  };
}

function path(heights: number[], width: number, base: number): string {
  const step = width / Math.max(1, heights.length);
  const bar = Math.max(1, step - Math.min(2, step * 0.25));
  return heights
    .map((height, i) => (height < 0.2 ? '' : `M${(i * step).toFixed(1)},${base}v${(-height).toFixed(1)}h${bar.toFixed(1)}V${base}z`))
    .join('');
}

/** Figures of the last bucket that is over; the newest one has only begun. */
function newest(requests: Bucket[], events: Bucket[]): Bars['newest'] {
  const last = requests.at(-2);
  const after = requests.at(-1);
  if (!last || !after) return null;
  const seconds = (after.startAt - last.startAt) / 1000;
  if (seconds <= 0) return null;
  return { requests: last.count / seconds, errors: last.errors / seconds, events: (events.at(-2)?.count ?? 0) / seconds };
}
