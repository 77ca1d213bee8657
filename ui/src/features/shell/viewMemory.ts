import { route } from '../../shared/state/route.svelte';
import { formatHash } from '../../shared/state/url';

const KEY = 'flowglass.views';
/** Workspaces whose view is remembered at most. */
const MOST = 20;
/** What the address said when the page was loaded: a link goes before memory. */
const begun = window.location.hash;
let restored = false;

/** Goes to the view that this workspace was left with, unless the page was opened by a link. Once. */
export function restoreView(workspace: string): void {
  if (restored) return;
  restored = true;
  const hash = read()[workspace];
  if (hash === undefined || !['', '#', '#/'].includes(begun)) return;
  window.history.replaceState(null, '', hash);
  window.dispatchEvent(new PopStateEvent('popstate'));
}

/** Remembers the view that is shown; reads the route, so that an effect follows it. */
export function rememberView(workspace: string): void {
  const hash = formatHash({ area: route.area, params: route.params });
  if (!restored) return;
  const { [workspace]: _, ...others } = read();
  const kept = Object.entries(others).slice(-(MOST - 1));
  write({ ...Object.fromEntries(kept), [workspace]: hash });
}

/** Begins anew with another workspace: whatever is shown or remembered in this page belongs to the old one. */
export function beginAnew(): void {
  window.history.replaceState(null, '', '#/');
  window.location.reload();
}

function read(): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function write(views: Record<string, string>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(views));
  } catch {
    // Storage may be blocked: views are then not remembered.
  }
}
