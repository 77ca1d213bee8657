import { SvelteMap } from 'svelte/reactivity';
import { keys } from './keys.svelte';

/** Something that can be done from the palette. */
export interface Command {
  /** Unique: `time.last-hour`. */
  id: string;
  /** What it does, as a short order: `Show the last hour`. */
  title: string;
  /** Keys that do the same, as people read them: `G T`. */
  keys?: string;
  run: () => void;
  /** Whether it can be done now; always, when left out. */
  when?: () => boolean;
}

const registry = new SvelteMap<string, Command>();

/** Adds commands; call the answer to remove them. Meant for `$effect(() => register(…))` or once at the start. */
export function register(...commands: Command[]): () => void {
  commands.forEach((command) => registry.set(command.id, command));
  return () => commands.forEach((command) => registry.get(command.id) === command && registry.delete(command.id));
}

/** What can be done now: registered commands, and everything that has a key. */
export function available(): Command[] {
  const own = [...registry.values()].filter((command) => command.when?.() ?? true);
  const titles = new Set(own.map((command) => command.title));
  const keyed = [...keys.groups].flatMap((group) =>
    group.bindings
      .filter((binding) => binding.label !== '' && !titles.has(binding.label) && !NOT_OFFERED.test(binding.label))
      .map((binding) => ({ id: `key ${group.title} ${binding.key}`, title: binding.label, keys: binding.shown ?? binding.key, run: () => binding.run(new KeyboardEvent('keydown', { key: binding.key })) })),
  );
  return [...own, ...keyed];
}

/** Moving about needs the keys themselves; the search is open already. */
const NOT_OFFERED = /^(Search$|Next |Previous |Clear |Open inspector)/;
