const KEY = 'flowglass.searches';
const MOST = 6;

/** What was searched for lately, newest first. */
export function recentSearches(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Remembers a search. */
export function remember(text: string): void {
  if (text.trim() === '') return;
  try {
    localStorage.setItem(KEY, JSON.stringify([text, ...recentSearches().filter((one) => one !== text)].slice(0, MOST)));
  } catch {
    // Storage may be blocked: then nothing is remembered.
  }
}
