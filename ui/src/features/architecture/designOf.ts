import type { DesignedParticipantView, DesignShape } from '../../lib/bindings';
import { LAYERS, layerTitle } from '../../shared/layers';

/** A part of a design. */
export interface Ref {
  what: 'participant' | 'channel';
  name: string;
}

/** The part that an address names: `p orders` or `c orders.placed`; null is the whole. */
export function refOf(text: string | null): Ref | null {
  if (text?.startsWith('p ')) return { what: 'participant', name: text.slice(2) };
  if (text?.startsWith('c ')) return { what: 'channel', name: text.slice(2) };
  return null;
}

/** The same the other way round. */
export function textOf(ref: Ref | null): string | null {
  return ref && `${ref.what === 'participant' ? 'p' : 'c'} ${ref.name}`;
}

/** What participants are listed under, left to right. */
export const COLUMNS = ['external', ...LAYERS, 'none'] as const;

/** Layer that a participant is listed under; outside systems and those without one stand apart. */
export function columnOf(one: DesignedParticipantView): string {
  return one.layer ?? (one.kind === 'service' ? 'none' : one.kind);
}

/** Heading of a column. */
export function columnTitle(column: string): string {
  return column === 'external' ? 'Outside systems' : column === 'none' ? 'No layer yet' : layerTitle(column);
}

/** Words that others of the design have for something, sorted. */
export function wordsFor(shape: DesignShape, key: 'owner' | 'domain' | 'criticality' | 'system', more: readonly string[] = []): string[] {
  const channels = key === 'owner' || key === 'system' ? shape.channels.map((one) => one[key]) : [];
  const all = [...shape.participants.map((one) => one[key]), ...channels, ...more].filter((word): word is string => word !== null && word !== '');
  return [...new Set(all)].sort();
}
