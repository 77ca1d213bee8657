type ThemeName = 'dark' | 'light';
/** What can be chosen: `system` follows the operating system. */
export type ThemeChoice = 'system' | ThemeName;

const KEY = 'flowglass.theme';

/** Dark or light: the system's until one is chosen. `public/theme.js` does the same before the first paint. */
class Theme {
  choice = $state<ThemeChoice>(readChosen());
  name = $state<ThemeName>(document.documentElement.dataset['theme'] === 'light' ? 'light' : 'dark');

  constructor() {
    window.matchMedia?.('(prefers-color-scheme: light)').addEventListener?.('change', (event) => {
      if (this.choice === 'system') this.#apply(event.matches ? 'light' : 'dark');
    });
  }

  toggle(): void {
    this.choose(this.name === 'dark' ? 'light' : 'dark');
  }

  /** Chooses a theme and keeps the choice for the next start; `system` forgets it. */
  choose(choice: ThemeChoice): void {
    this.choice = choice;
    try {
      if (choice === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, choice);
    } catch {
      // Storage may be blocked: the choice then lasts until the window closes.
    }
    this.#apply(choice === 'system' ? systemTheme() : choice);
  }

  #apply(name: ThemeName): void {
    this.name = name;
    // All colours change at once: no part may fade while others have changed already.
    const root = document.documentElement;
    root.classList.add('theme-changing');
    root.dataset['theme'] = name;
    void root.offsetWidth;
    root.classList.remove('theme-changing');
  }
}

function readChosen(): ThemeChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'dark' || kept === 'light' ? kept : 'system';
  } catch {
    return 'system';
  }
}

function systemTheme(): ThemeName {
  return window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

export const theme = new Theme();
