import type { Point } from '../../lib/bindings';
import { Space, type Area } from './space';

/** A label that wants to stand on a route. */
export interface Wanted {
  id: string;
  text: string;
  along: Point[];
  width: number;
  height: number;
}

/** A placed label: centre and size. */
export interface Label {
  id: string;
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const AIR = 3;

/** Size of a failure pill. */
export function pillSize(text: string): { width: number; height: number } {
  return { width: 28 + text.length * 6.2, height: 20 };
}

/** Size of a plain figure beside its line. */
export function figureSize(text: string): { width: number; height: number } {
  return { width: 4 + text.length * 6.2, height: 13 };
}

/**
 * Puts each label on its route, as near to the middle as it can be without covering a card, a topic or another label.
 * With `beside` it never stands on the line itself. A label without such a place is left out: its figure is in the inspector too.
 */
export function placeLabels(wanted: readonly Wanted[], boxes: Iterable<Area>, beside = false): Label[] {
  const taken = Space.of(boxes);
  const placed: Label[] = [];
  for (const { id, text, along, width, height } of wanted) {
    const middle = (along.length - 1) / 2;
    const order = along.map((_, i) => i).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
    const found = offsets(along, width, height, beside)
      .flatMap((dy) => order.map((i) => ({ x: along[i]!.x, y: along[i]!.y + dy })))
      .find((p) => !taken.isTaken({ ...p, width, height }, AIR));
    if (!found) continue;
    const label = { id, text, x: found.x, y: found.y, width, height };
    placed.push(label);
    taken.add(label, label);
  }
  return placed;
}

/** On the line; above or below it where it would hide most of it, or where there is no room on it. */
function offsets(along: Point[], width: number, height: number, always: boolean): number[] {
  const [first, last] = [along[0], along.at(-1)];
  if (!first || !last) return [];
  const beside = height / 2 + (always ? 2 : 6);
  const short = always || Math.abs(first.x - last.x) < width + 36;
  return short ? [-beside, beside] : [0, -beside, beside];
}
