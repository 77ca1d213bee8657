/** What the architecture screen shows. */
export type Part = 'findings' | 'design' | 'drift' | 'changes';

/** Reads the part of an address. */
export function partOf(text: string | null): Part {
  return text === 'design' || text === 'drift' || text === 'changes' ? text : 'findings';
}
