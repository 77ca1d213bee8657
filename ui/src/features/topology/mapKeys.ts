import { keys } from '../../shared/state/keys.svelte';
import { windowLayout } from '../../shared/state/layout.svelte';
import type { MapState } from './map.svelte';

/** Keys of the map, as long as it is shown. */
export function bindMapKeys(map: MapState): () => void {
  return keys.bind('Topology', [
    { key: 'Arrows', shown: '← ↑ ↓ →', label: 'Next node', run: () => {} },
    { key: 'Enter', label: 'Open inspector', run: () => (windowLayout.inspector = true) },
    { key: 'f', shown: 'F', label: 'Fit selection or everything', run: () => map.fit() },
    { key: '0', label: 'Zoom to 100 %', run: () => map.camera.to(1) },
    { key: '+', label: 'Zoom in', run: () => map.camera.by(1.25) },
    { key: '-', shown: '−', label: 'Zoom out', run: () => map.camera.by(1 / 1.25) },
    { key: 'd', shown: 'D', label: 'Calls or data flow', run: () => map.setFlow(map.flow === 'calls' ? 'data' : 'calls') },
    { key: 'Escape', shown: 'Esc', label: 'Step back', run: () => map.back() },
  ]);
}
