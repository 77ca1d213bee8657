import { keys } from '../../shared/state/keys.svelte';

/** Moves through the rows of a list; gives what ends that. */
export function bindRows(step: (by: 1 | -1) => void): () => void {
  return keys.bind('Architecture', [
    { key: 'j', shown: 'J', label: 'Next row', run: () => step(1) },
    { key: 'k', shown: 'K', label: 'Previous row', run: () => step(-1) },
  ]);
}
