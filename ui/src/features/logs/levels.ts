/** Levels, worst first. */
export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'unset'] as const;

/** Tone of a level. */
export function toneOf(level: string): 'err' | 'warn' | 'plain' {
  if (level === 'fatal' || level === 'error') return 'err';
  return level === 'warn' ? 'warn' : 'plain';
}

/** A level as a word in a list. */
export function levelWord(level: string): string {
  return level === 'unset' ? '–' : level;
}
