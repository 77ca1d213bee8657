import { keys } from '../../shared/state/keys.svelte';
import { windowLayout } from '../../shared/state/layout.svelte';
import { copyLink } from '../../shared/state/link';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';

const REGIONS = ['rail', 'top', 'main', 'inspector', 'timeline'];

/** Keys that work in every view. */
export function bindWindowKeys(): () => void {
  return keys.bind('Everywhere', [
    { key: 'g t', shown: 'G T', label: 'Topology', run: () => route.open('topology') },
    { key: 'g j', shown: 'G J', label: 'Journeys', run: () => route.open('journeys') },
    { key: 'g e', shown: 'G E', label: 'Events', run: () => route.open('events') },
    { key: 'g s', shown: 'G S', label: 'Scenarios', run: () => route.open('scenarios') },
    { key: 'g a', shown: 'G A', label: 'Architecture', run: () => route.open('architecture') },
    { key: 'g ,', shown: 'G ,', label: 'Settings', run: () => route.open('settings') },
    { key: 'Ctrl+k', shown: 'Ctrl K', label: 'Search', run: focusSearch },
    { key: 'l', shown: 'L', label: 'LIVE on or off', run: () => time.toggleLive() },
    { key: ' ', shown: 'Space', label: 'Pause or go on', run: () => time.toggleLive() },
    { key: 'n', shown: 'N', label: 'From now: show only what comes next', run: () => void attempt('The mark could not be set', fromNow) },
    { key: ',', label: 'Step back in time', run: () => time.step(-1) },
    { key: '.', label: 'Step forward in time', run: () => time.step(1) },
    { key: 'c', shown: 'C', label: 'Copy a link to what is shown', run: () => void copyLink() },
    { key: 'Ctrl+i', shown: 'Ctrl I', label: 'Inspector on or off', run: () => (windowLayout.inspector = !windowLayout.inspector) },
    { key: 'F6', label: 'Next region', run: () => cycleRegion(1) },
    { key: 'Shift+F6', shown: 'Shift F6', label: 'Previous region', run: () => cycleRegion(-1) },
    { key: '?', label: 'All keys', run: () => (windowLayout.keyList = true) },
  ]);
}

async function fromNow(): Promise<void> {
  const name = await time.fromNow();
  notices.say(`Showing only what comes after the mark "${name}". Nothing was deleted.`);
}

function focusSearch(): void {
  document.querySelector<HTMLInputElement>('#search')?.focus();
}

function cycleRegion(step: 1 | -1): void {
  const present = REGIONS.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((region) => region !== null);
  if (present.length === 0) return;
  const at = present.findIndex((region) => region === document.activeElement?.closest('[data-region]'));
  const next = present[(at + step + present.length) % present.length];
  const first = next?.querySelector<HTMLElement>('[aria-current="page"], a[href], button:not(:disabled), input, [tabindex="0"]');
  (first ?? next)?.focus();
}
