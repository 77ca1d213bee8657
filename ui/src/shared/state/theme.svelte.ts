type ThemeName = 'dark' | 'light';

const KEY = 'flowglass.theme';

/** Dark or light: the system's until one is chosen. `public/theme.js` does the same before the first paint. */
class Theme {
  name = $state<ThemeName>(document.documentElement.dataset['theme'] === 'light' ? 'light' : 'dark');

  constructor() {
    window.matchMedia?.('(prefers-color-scheme: light)').addEventListener?.('change', (event) => {
      if (!readChosen()) this.#apply(event.matches ? 'light' : 'dark');
    });
  }

  toggle(): void {
    const next = this.name === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Storage may be blocked: the choice then lasts until the window closes.
    }
    this.#apply(next);
  }

  #apply(name: ThemeName): void {
    this.name = name;
    document.documentElement.dataset['theme'] = name;
  }
}

function readChosen(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const theme = new Theme();
