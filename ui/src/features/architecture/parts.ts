/** What the architecture screen shows. */
export type Part = 'findings' | 'drift' | 'changes';

/** Reads the part of an address. */
export function partOf(text: string | null): Part {
  return text === 'drift' || text === 'changes' ? text : 'findings';
}
