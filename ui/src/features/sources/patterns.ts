import type { PatternView } from '../../lib/bindings';

/** Moves a pattern up or down; the first that fits decides, so order matters. */
export function moved(patterns: PatternView[], index: number, by: 1 | -1): PatternView[] {
  const to = index + by;
  const next = [...patterns];
  const [from, other] = [next[index], next[to]];
  if (!from || !other) return patterns;
  next[index] = other;
  next[to] = from;
  return next;
}

/** Why a pattern cannot be added, or null. */
export function patternProblem(patterns: PatternView[], pattern: string): string | null {
  const text = pattern.trim();
  if (text.replace(/[-\s*]/g, '') === '') return 'Write a part of a name, such as -exp-api or process-.';
  return patterns.some((known) => known.pattern.toLowerCase() === text.toLowerCase()) ? `${text} is in the list already.` : null;
}
