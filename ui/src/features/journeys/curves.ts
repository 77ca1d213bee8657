import type { Link } from '../../lib/bindings';
import type { Row } from './tree';

/** A dashed line from what was sent to what it led to. */
export interface Curve {
  key: string;
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  tone: 'event' | 'dead';
  /** Joined by a guess: dotted. */
  weak: boolean;
}

interface Drawn {
  row: Row;
  index: number;
}

/** Lines of the rows shown: publish to each first delivery, delivery to the next one, last delivery to the dead letter. */
export function curvesOf(rows: Row[], links: Link[], x: (at: number) => number, rowHeight: number): Curve[] {
  const drawn = new Map<string, Drawn>();
  rows.forEach((row, index) => {
    if (row.kind === 'item' || (row.kind === 'band' && !drawn.has(row.item.uid))) drawn.set(row.item.uid, { row, index });
  });
  const middle = (index: number) => (index + 0.5) * rowHeight;
  const guessed = new Set(links.filter((link) => link.sure === 'weak').map((link) => link.to));
  const weak = (uid: string) => guessed.has(uid);
  const lastDelivery = new Map<string, Drawn>();
  const lastOfEvent = new Map<string, Drawn>();
  const curves: Curve[] = [];
  rows.forEach((row, index) => {
    const { item } = row;
    if (row.kind === 'item' && item.parent !== null && isHandling(row)) {
      const who = `${item.parent} ${item.participant}`;
      const before = (item.delivery ?? 1) > 1 ? lastDelivery.get(who) : undefined;
      const from = before ?? sourceOf(item.parent, drawn);
      if (from) {
        const at = before ? before.row.item.startAt + before.row.item.durationMs : sentAt(from.row, drawn.get(item.parent)?.row);
        curves.push({ key: item.uid, x1: x(at) + (before ? 0 : 5), y1: middle(from.index), x2: x(item.startAt) - 16, y2: middle(index), tone: 'event', weak: weak(item.uid) });
      }
      lastDelivery.set(who, { row, index });
      lastOfEvent.set(item.parent, { row, index });
    } else if (row.kind === 'dead') {
      const from = lastOfEvent.get(item.uid);
      if (from) curves.push({ key: row.key, x1: x(row.at), y1: middle(from.index), x2: x(row.at) + 8, y2: middle(index), tone: 'dead', weak: false });
    }
  });
  return curves;
}

/** A smooth path; dead letters bow out to the right, everything else flows in from the left. */
export function pathOf({ x1, y1, x2, y2, tone }: Curve): string {
  if (tone === 'dead') return `M${x1} ${y1}C${x1 + 34} ${y1} ${x2 + 40} ${y2} ${x2 + 8} ${y2}`;
  // Handled before the sender had its answer: the line goes back, so it bows as little as it can.
  const reach = x2 > x1 ? Math.max(14, Math.min(70, (x2 - x1) * 0.5)) : 8;
  return `M${x1} ${y1}C${x1 + reach} ${y1} ${x2 - reach} ${y2} ${x2} ${y2}`;
}

function isHandling(row: Row): boolean {
  return row.item.role === 'consumer' || row.item.delivery !== null;
}

/** The row with the publish mark: the sending span where it is drawn, else the event's band. */
function sourceOf(parent: string, drawn: Map<string, Drawn>): Drawn | undefined {
  const at = drawn.get(parent);
  if (at?.row.kind !== 'band' || at.row.item.parent === null) return at;
  return drawn.get(at.row.item.parent) ?? at;
}

function sentAt(from: Row, event: Row | undefined): number {
  if (event?.item.type === 'event') return event.item.startAt;
  return from.item.startAt + from.item.durationMs;
}
