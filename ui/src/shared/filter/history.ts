import type { FilterView } from './complete.svelte';

const KEY = 'flowglass.filters';
const MOST = 8;

/** Expressions that were in force lately, newest first. */
export function recentFilters(view: FilterView): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(`${KEY}.${view}`) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Remembers an expression. What it only lengthens (typed further) gives way to it. */
export function rememberFilter(view: FilterView, expr: string): void {
  if (expr.trim() === '') return;
  const others = recentFilters(view).filter((one) => one !== expr && !expr.startsWith(`${one} `));
  try {
    localStorage.setItem(`${KEY}.${view}`, JSON.stringify([expr, ...others].slice(0, MOST)));
  } catch {
    // Storage may be blocked: then nothing is remembered.
  }
}
