import type { About, Component } from '../../lib/bindings';

/** Packages whose name, version, licence or kind holds every word of the search. */
export function matching(components: readonly Component[], search: string): Component[] {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return components.filter((component) => {
    const text = `${component.name} ${component.version} ${component.licence} ${component.kind}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Versions as people paste them into a bug report. */
export function versionsText(about: About): string {
  return `Flowglass ${about.version}, SQLite ${about.sqlite}, ${window.navigator.userAgent}`;
}
