/** A text with its past: what can be undone and done again. Plain data, so that it can be tested. */
export interface History {
  past: readonly string[];
  future: readonly string[];
}

/** Steps kept at most. */
const MOST = 200;

export const EMPTY: History = { past: [], future: [] };

/** After `before` was changed; `joined` makes it one step with the last change (typing, dragging). */
export function changed(history: History, before: string, joined: boolean): History {
  if (joined && history.past.length > 0) return { past: history.past, future: [] };
  return { past: [...history.past.slice(1 - MOST), before], future: [] };
}

/** One step back from `now`: the text before and the history after; null where there is none. */
export function undone(history: History, now: string): { text: string; history: History } | null {
  const text = history.past.at(-1);
  if (text === undefined) return null;
  return { text, history: { past: history.past.slice(0, -1), future: [now, ...history.future] } };
}

/** One step forth from `now`. */
export function redone(history: History, now: string): { text: string; history: History } | null {
  const [text, ...future] = history.future;
  if (text === undefined) return null;
  return { text, history: { past: [...history.past, now], future } };
}
