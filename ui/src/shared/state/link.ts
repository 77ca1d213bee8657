import { backend } from '../../lib/backend';
import { attempt, notices } from './notices.svelte';
import { route } from './route.svelte';

/** Copies a link to what is shown: area, selection, filter, time range, environment. It never holds the session's token. */
export async function copyLink(): Promise<void> {
  const link = route.link();
  if (await attempt('The link could not be copied', () => backend().copyText(link))) notices.say('Link copied');
}
