import type { Alert, Update } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { preferences } from '../../shared/state/preferences.svelte';
import { route } from '../../shared/state/route.svelte';

/** Shows alerts until they are closed or answered; call the answer to stop. */
export function showAlerts(): () => void {
  return app.listen((update: Update) => {
    if (update.type === 'alert' && preferences.current.notify) show(update.alert);
  });
}

function show(alert: Alert): void {
  const actions: { label: string; run: () => void }[] = [{ label: "Don't notify", run: () => void stop() }];
  if (alert.journey !== null || alert.eventRow !== null) actions.unshift({ label: 'Show', run: () => open(alert) });
  notices.alert(alert.title, { actions, ...(alert.detail === null ? {} : { detail: alert.detail }) });
}

function open(alert: Alert): void {
  if (alert.journey !== null) route.open('journeys', { id: alert.journey });
  else route.open('events', { row: String(alert.eventRow) });
}

async function stop(): Promise<void> {
  if (await preferences.set({ notify: false })) notices.say('No more notifications. Turn them on again in Settings, Notifications & tray.');
}
