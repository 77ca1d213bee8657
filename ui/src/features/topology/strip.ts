import type { Bucket, Timeline } from '../../lib/bindings';
import type { Span } from './scrub';

/** Bars of the strip as SVG paths, and the newest figures per second. */
export interface Bars {
  requests: string;
  errors: string;
  events: string;
  newest: { requests: number; errors: number; events: number } | null;
}

/** Draws requests with their errors on one scale `tall` pixels high, events below on their own, `low` pixels high. */
export function bars(timeline: Timeline, span: Span, width: number, tall: number, low: number): Bars {
  const { requests, events, bucketMs } = timeline;
  const most = Math.max(1, ...requests.map((bucket) => bucket.count));
  const mostEvents = Math.max(1, ...events.map((bucket) => bucket.count));
  const path = (buckets: Bucket[], height: (bucket: Bucket) => number, base: number) => drawn(buckets, bucketMs, span, width, height, base);
  return {
    requests: path(requests, (bucket) => (bucket.count / most) * tall, tall),
    errors: path(requests, (bucket) => atLeast(bucket.errors, (bucket.errors / most) * tall), tall),
    events: path(events, (bucket) => (bucket.count / mostEvents) * low, tall + low + 8),
    newest: newest(requests, events, bucketMs),
  };
}

/** A few errors among thousands of requests are seen all the same. */
function atLeast(errors: number, height: number): number {
  return errors > 0 ? Math.max(1.5, height) : 0;
}

function drawn(buckets: Bucket[], bucketMs: number, span: Span, width: number, height: (bucket: Bucket) => number, base: number): string {
  const scale = width / (span.to - span.from);
  const step = bucketMs * scale;
  const bar = Math.max(1, step - Math.min(2, step * 0.25));
  return buckets
    .map((bucket) => {
      const x = (bucket.startAt - span.from) * scale;
      const [left, right] = [Math.max(0, x), Math.min(width, x + bar)];
      const tall = height(bucket);
      return tall < 0.2 || right <= left ? '' : `M${left.toFixed(1)},${base}v${(-tall).toFixed(1)}h${(right - left).toFixed(1)}V${base}z`;
    })
    .join('');
}

/** Figures of the last bucket that is over; the newest one has only begun. */
function newest(requests: Bucket[], events: Bucket[], bucketMs: number): Bars['newest'] {
  const last = requests.at(-2) ?? requests.at(-1);
  const seconds = bucketMs / 1000;
  if (!last || seconds <= 0) return null;
  return { requests: last.count / seconds, errors: last.errors / seconds, events: ((events.at(-2) ?? events.at(-1))?.count ?? 0) / seconds };
}

/** The bar at an instant. */
export function bucketAt(buckets: readonly Bucket[], bucketMs: number, at: number): Bucket | undefined {
  return buckets.find((bucket) => at >= bucket.startAt && at < bucket.startAt + bucketMs);
}
