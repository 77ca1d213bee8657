import { confirmErase } from '../../shared/erase/erase.svelte';
import { imports } from '../../shared/imports/imports.svelte';
import { app } from '../../shared/state/app.svelte';
import { register } from '../../shared/state/commands';
import { windowLayout } from '../../shared/state/layout.svelte';
import { PRESETS } from '../../shared/state/range';
import { route } from '../../shared/state/route.svelte';
import { theme } from '../../shared/state/theme.svelte';
import { time } from '../../shared/state/time.svelte';

/** The commands of the window itself; what has a key is offered by its key. */
export function bindCommands(): () => void {
  return register(
    { id: 'go.logs', title: 'Logs', run: () => route.open('events', { tab: 'logs' }) },
    { id: 'theme', title: 'Light or dark theme', run: () => theme.toggle() },
    { id: 'sources', title: 'Connect a source', run: () => route.open('settings', { section: 'sources' }) },
    { id: 'import', title: 'Import files', run: () => void imports.choose() },
    { id: 'erase.range', title: 'Delete the data of this range…', run: () => confirmErase({ what: 'range', range: time.range, journeys: [] }) },
    { id: 'erase.all', title: 'Delete all data…', run: () => confirmErase({ what: 'everything', range: { sinceAt: null, untilAt: null }, journeys: [] }) },
    { id: 'about', title: 'About Flowglass: versions and licences', run: () => (windowLayout.about = true) },
    { id: 'env.all', title: 'Show all environments', run: () => route.set({ env: null }, { push: true }), when: () => app.environment !== null },
    ...PRESETS.map((preset) => ({ id: `range.${preset.id}`, title: `Show: ${preset.label.toLowerCase()}`, run: () => time.preset(preset.id) })),
  );
}
