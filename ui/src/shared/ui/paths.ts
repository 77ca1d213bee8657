import { area, line } from 'd3-shape';

/** Line through values spread over the width; `most` is the value at the upper edge. */
export function linePath(values: number[], width: number, height: number, most: number): string {
  return line<number>((_, i) => x(i, values.length, width), (v) => y(v, height, most))(values) ?? '';
}

/** The same, closed down to the lower edge. */
export function areaPath(values: number[], width: number, height: number, most: number): string {
  return area<number>((_, i) => x(i, values.length, width), height, (v) => y(v, height, most))(values) ?? '';
}

function x(i: number, n: number, width: number): number {
  return n < 2 ? 0 : round((i * width) / (n - 1));
}

function y(value: number, height: number, most: number): number {
  return round(height - 0.75 - (Math.min(value, most) / most) * (height - 1.5));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
