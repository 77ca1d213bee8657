import { notices } from '../../shared/state/notices.svelte';

const EVERY_MS = 10_000;

/** Tells changes of health to screen readers, politely and at most every ten seconds. The first state is not news. */
export function watchHealth(): (nodes: readonly { id: string; name: string; health: string }[]) => void {
  let known: Map<string, string> | null = null;
  let lastAt = -Infinity;
  return (nodes) => {
    const now = new Map(nodes.map((node) => [node.id, node.health]));
    const before = known;
    if (before === null) {
      if (nodes.length > 0) known = now;
      return;
    }
    const changed = nodes.filter((node) => isNews(before.get(node.id), node.health));
    if (changed.length > 0 && performance.now() - lastAt < EVERY_MS) return;
    known = now;
    if (changed.length === 0) return;
    lastAt = performance.now();
    notices.announce(changed.slice(0, 3).map((node) => `${node.name} is ${node.health}`).join(', ') + (changed.length > 3 ? ` and ${changed.length - 3} more changed` : ''));
  };
}

function isNews(before: string | undefined, after: string): boolean {
  return before !== undefined && before !== after && (before === 'failing' || after === 'failing');
}
