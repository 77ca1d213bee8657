import type { HistogramBin } from '../../lib/bindings';
import { duration } from '../../shared/format';

/** A bar as drawn, in shares of width and height. */
export interface HistogramBar {
  x: number;
  width: number;
  /** Height of all of it. */
  height: number;
  /** Height of the failed part, stacked at the foot. */
  failedHeight: number;
  bin: HistogramBin;
}

/** Bars of equal width (bins are logarithmic already); anything counted is at least visible. */
export function barsOf(bins: HistogramBin[]): HistogramBar[] {
  const used = trimmed(bins);
  const most = Math.max(1, ...used.map((bin) => bin.count));
  return used.map((bin, i) => {
    const height = bin.count === 0 ? 0 : Math.max(0.05, bin.count / most);
    const failedHeight = bin.failed === 0 ? 0 : Math.max(0.05, (height * bin.failed) / Math.max(1, bin.count));
    return { x: i / used.length, width: 1 / used.length, height, failedHeight, bin };
  });
}

/** Labels under the bars: powers of ten that are bounds of bins, with both ends where there is room. */
export function axisOf(bins: HistogramBin[]): { x: number; label: string }[] {
  const used = trimmed(bins);
  const first = used[0];
  const last = used[used.length - 1];
  if (!first || !last) return [];
  const [low, high] = [Math.log10(first.fromMs), Math.log10(last.toMs)];
  const labels = [];
  for (let power = Math.ceil(low - 1e-9); power <= high + 1e-9; power += 1) {
    labels.push({ x: (power - low) / Math.max(high - low, 1e-9), label: duration(10 ** power) });
  }
  if (labels.length >= 2) return labels;
  return [{ x: 0, label: duration(first.fromMs) }, { x: 1, label: duration(last.toMs) }];
}

/** Without empty bins at both ends, but for one on each side. */
function trimmed(bins: HistogramBin[]): HistogramBin[] {
  const first = bins.findIndex((bin) => bin.count > 0);
  if (first < 0) return [];
  const last = bins.findLastIndex((bin) => bin.count > 0);
  return bins.slice(Math.max(0, first - 1), last + 2);
}
