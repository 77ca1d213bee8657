import type { Item, JourneyView } from '../../lib/bindings';

/** A step of a message's way: who sent it, the message, who handled it, what that caused. */
export interface Step {
  item: Item;
  /** From the sender (0) on. */
  depth: number;
  part: 'sender' | 'message' | 'handling' | 'effect';
}

/** Steps shown at most. */
export const STEPS_MOST = 200;

/** The way of a message through its journey: its sender, each handling, and all that followed; null when the journey has not got it. */
export function pathOf(view: JourneyView, row: number): Step[] | null {
  const message = view.items.find((item) => item.eventRow === row);
  if (!message) return null;
  const children = childrenOf(view);
  const steps: Step[] = [];
  const sender = senderOf(view, message);
  if (sender) steps.push({ item: sender, depth: 0, part: 'sender' });
  steps.push({ item: message, depth: 1, part: 'message' });
  const seen = new Set([message.uid]);
  const visit = (uid: string, depth: number) => {
    for (const child of children.get(uid) ?? []) {
      if (seen.has(child.uid) || steps.length >= STEPS_MOST) continue;
      seen.add(child.uid);
      steps.push({ item: child, depth, part: child.delivery !== null || child.role === 'consumer' ? 'handling' : 'effect' });
      visit(child.uid, depth + 1);
    }
  };
  visit(message.uid, 2);
  return steps;
}

function senderOf(view: JourneyView, message: Item): Item | null {
  const uid = message.parent ?? view.links.find((link) => link.to === message.uid)?.from ?? null;
  return view.items.find((item) => item.uid === uid) ?? null;
}

/** What hangs below an item, or is linked to it, by start. */
function childrenOf(view: JourneyView): Map<string, Item[]> {
  const items = new Map(view.items.map((item) => [item.uid, item]));
  const pairs = [...view.items.filter((item) => item.parent !== null).map((item) => [item.parent ?? '', item.uid]), ...view.links.map((link) => [link.from, link.to])];
  const children = new Map<string, Item[]>();
  for (const [from, to] of pairs) {
    const item = items.get(to ?? '');
    if (!item || from === undefined) continue;
    const known = children.get(from) ?? [];
    if (!known.includes(item)) children.set(from, [...known, item]);
  }
  for (const list of children.values()) list.sort((a, b) => a.startAt - b.startAt);
  return children;
}
