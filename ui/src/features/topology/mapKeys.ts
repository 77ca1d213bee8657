import { keys } from '../../shared/state/keys.svelte';
import { windowLayout } from '../../shared/state/layout.svelte';
import type { MapState } from './map.svelte';
import type { Scrubber } from './scrubber.svelte';

/** Keys of the map, as long as it is shown. */
export function bindMapKeys(map: MapState, scrubber: Scrubber): () => void {
  return keys.bind('Topology', [
    { key: 'Arrows', shown: '← ↑ ↓ →', label: 'Next node', run: () => {} },
    { key: 'Shift+Arrows', shown: 'Shift ← ↑ ↓ →', label: 'Select the next node too', run: () => {} },
    { key: 'Ctrl+a', shown: 'Ctrl A', label: 'Select everything shown', run: () => map.selectAll(map.nodes.filter((node) => node.goneAt === null).map((node) => node.id)) },
    { key: 'Enter', label: 'Open inspector', run: () => (windowLayout.inspector = true) },
    { key: 'f', shown: 'F', label: 'Fit selection or everything', run: () => map.fit() },
    { key: '0', label: 'Zoom to 100 %', run: () => map.camera.to(1) },
    { key: '+', label: 'Zoom in', run: () => map.camera.by(1.25) },
    { key: '-', shown: '−', label: 'Zoom out', run: () => map.camera.by(1 / 1.25) },
    { key: 'd', shown: 'D', label: 'Calls or data flow', run: () => map.setFlow(map.flow === 'calls' ? 'data' : 'calls') },
    { key: 'm', shown: 'M', label: 'Overview on or off', run: () => (map.minimapAsked = !map.minimap) },
    { key: 't', shown: 'T', label: 'Picture or table', run: () => map.setTable(!map.asTable) },
    { key: 'p', shown: 'P', label: 'Replay: play or pause', run: () => scrubber.toggle() },
    { key: 'Escape', shown: 'Esc', label: 'Step back', run: () => map.back() },
  ]);
}
