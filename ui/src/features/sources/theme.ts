import { theme } from '../../shared/state/theme.svelte';

/** What can be chosen. */
export type ThemeChoice = 'system' | 'dark' | 'light';

const KEY = 'flowglass.theme';

/** What was chosen; the system's where nothing was. */
export function chosenTheme(): ThemeChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'dark' || kept === 'light' ? kept : 'system';
  } catch {
    return theme.name;
  }
}

/** Chooses a theme; `system` forgets the choice and follows the system again. */
export function chooseTheme(choice: ThemeChoice): void {
  const wanted = choice === 'system' ? systemTheme() : choice;
  if (theme.name !== wanted) theme.toggle();
  try {
    if (choice === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Storage may be blocked: the choice then lasts until the window closes.
  }
}

function systemTheme(): 'dark' | 'light' {
  return window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}
