import { backend } from '../../lib/backend';
import { route } from '../../shared/state/route.svelte';
import { formatHash } from '../../shared/state/url';

/** What the address said when the page was loaded: a link goes before memory. */
const begun = window.location.hash;
/** The view last told to be remembered, and whether telling is under way. */
let wanted: string | null = null;
let telling = false;

/** Goes to the view that the workspace was left with, unless the page was opened by a link. */
export async function restoreView(): Promise<void> {
  if (!['', '#', '#/'].includes(begun)) return;
  // Without an answer the first view is shown.
  const { hash } = await backend().call('last_view', {}).catch(() => ({ hash: null }));
  if (hash === null) return;
  window.history.replaceState(null, '', hash);
  window.dispatchEvent(new PopStateEvent('popstate'));
}

/** Remembers the view that is shown, by the program: a page's own storage may be written too late when the window closes. Reads the route, so that an effect follows it. */
export function rememberView(): void {
  wanted = formatHash({ area: route.area, params: route.params });
  if (!telling) void tell();
}

/** One after the other, so that the last one stays; those in between need not be told. */
async function tell(): Promise<void> {
  telling = true;
  while (wanted !== null) {
    const hash = wanted;
    wanted = null;
    // What cannot be kept is no reason to disturb anybody.
    await backend().call('remember_view', { hash }).catch(() => {});
  }
  telling = false;
}

/** Begins anew with another workspace: whatever is shown or remembered in this page belongs to the old one. */
export function beginAnew(): void {
  window.history.replaceState(null, '', '#/');
  window.location.reload();
}
