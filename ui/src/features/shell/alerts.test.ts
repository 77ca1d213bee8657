import { beforeEach, describe, expect, it } from 'vitest';
import { useBackend } from '../../lib/backend';
import { mockBackend } from '../../lib/backend/mock';
import { app } from '../../shared/state/app.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { preferences } from '../../shared/state/preferences.svelte';
import { route } from '../../shared/state/route.svelte';
import { showAlerts } from './alerts';

const ALERT = { id: 1, kind: 'failure', at: 0, title: 'New kind of failure in pay', detail: 'pay returned 500', journey: 'abc', eventRow: null };
const settle = () => new Promise((resolve) => setTimeout(resolve));

describe('alerts', () => {
  const backend = mockBackend({ set_preferences: (wanted) => wanted });
  beforeEach(() => {
    useBackend(backend);
    notices.list.forEach((notice) => notices.close(notice.id));
    preferences.current = { notify: true, keepReceiving: null };
  });

  function told(): void {
    const stops = [app.start(), showAlerts()];
    backend.push({ type: 'alert', alert: ALERT });
    stops.forEach((stop) => stop());
  }

  it('are shown with the cause, and lead to the journey', () => {
    told();
    const notice = notices.list.find((shown) => shown.text === ALERT.title);
    expect(notice?.detail).toBe('pay returned 500');
    notice?.actions?.find((action) => action.label === 'Show')?.run();
    expect([route.area, route.param('id')]).toEqual(['journeys', 'abc']);
  });

  it('end with one click', async () => {
    told();
    notices.list.find((shown) => shown.text === ALERT.title)?.actions?.find((action) => action.label === "Don't notify")?.run();
    await settle();
    expect(preferences.current.notify).toBe(false);
    notices.list.forEach((notice) => notices.close(notice.id));
    told();
    expect(notices.list.some((shown) => shown.text === ALERT.title)).toBe(false);
  });
});
