import type { SearchHits } from '../../lib/bindings';
import type { Command } from '../../shared/state/commands';

/** One line of the palette. */
export interface Entry {
  id: string;
  group: string;
  label: string;
  /** Right of it: what it is, or keys. */
  detail?: string;
  keys?: string;
  icon: 'command' | 'filter' | 'recent' | 'journey' | 'key' | 'event' | 'node';
  /** For participants. */
  node?: SearchHits['nodes'][number];
  run: () => void;
}

/** How well words fit a title: 0 begins so, 1 a word in it does, 2 all words are in it, null not at all. */
export function rankOf(title: string, typed: string): number | null {
  const [name, text] = [title.toLowerCase(), typed.trim().toLowerCase()];
  const at = name.indexOf(text);
  if (at === 0) return 0;
  if (at > 0 && /[^a-z0-9]/.test(name.charAt(at - 1))) return 1;
  return text.split(/\s+/).every((word) => name.includes(word)) ? 2 : null;
}

/** Commands that fit, best first. */
export function fitting(commands: Command[], typed: string, most: number): Command[] {
  return commands
    .map((command) => ({ command, rank: rankOf(command.title, typed) }))
    .filter((one): one is { command: Command; rank: number } => one.rank !== null)
    .sort((a, b) => a.rank - b.rank || (a.command.title < b.command.title ? -1 : 1))
    .slice(0, most)
    .map((one) => one.command);
}
