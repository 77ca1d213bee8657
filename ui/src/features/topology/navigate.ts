import type { Box } from './geometry';

/** The next card when an arrow key is pressed: up and down within the column, left and right to the nearest card of the next column. */
export function neighbour<T extends Box>(all: readonly T[], from: T, key: string): T | undefined {
  const sameColumn = (box: T) => Math.abs(box.x - from.x) < (box.width + from.width) / 2;
  const others = all.filter((box) => box.id !== from.id);
  if (key === 'ArrowUp') return nearest(others.filter((box) => sameColumn(box) && before(box, from)), (box) => from.y - box.y);
  if (key === 'ArrowDown') return nearest(others.filter((box) => sameColumn(box) && before(from, box)), (box) => box.y - from.y);
  const dir = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
  if (dir === 0) return undefined;
  const ahead = others.filter((box) => !sameColumn(box) && (box.x - from.x) * dir > 0);
  const column = Math.min(...ahead.map((box) => Math.abs(box.x - from.x)));
  return nearest(ahead.filter((box) => Math.abs(box.x - from.x) < column + 40), (box) => Math.abs(box.y - from.y));
}

function before(a: Box, b: Box): boolean {
  return a.y < b.y || (a.y === b.y && a.id < b.id);
}

function nearest<T>(list: T[], distance: (item: T) => number): T | undefined {
  return list.reduce<T | undefined>((best, item) => (best === undefined || distance(item) < distance(best) ? item : best), undefined);
}
