import type { ImportView, Range } from '../../lib/bindings';
import { span } from '../format';

/** Lengths on offer, in milliseconds; `all` has none. */
export const PRESETS = [
  { id: '5m', label: 'Last 5 min', ms: 5 * 60_000 },
  { id: '15m', label: 'Last 15 min', ms: 15 * 60_000 },
  { id: '60m', label: 'Last 60 min', ms: 60 * 60_000 },
  { id: '6h', label: 'Last 6 h', ms: 6 * 3_600_000 },
  { id: '24h', label: 'Last 24 h', ms: 24 * 3_600_000 },
  { id: '7d', label: 'Last 7 d', ms: 7 * 24 * 3_600_000 },
  { id: 'all', label: 'Everything', ms: null },
] as const;

/** A length on offer. */
export type PresetId = (typeof PRESETS)[number]['id'];

/** What is shown at first: long enough for a picture, short enough that a service just pointed here fills it. */
export const DEFAULT_PRESET: PresetId = '15m';

/** What is chosen: a length ending now (LIVE), or two fixed instants. */
export type Choice = { live: true; preset: PresetId } | { live: false; from: number | null; to: number | null };

/** Reads a choice from address parameters. */
export function choiceOf(params: Record<string, string>): Choice {
  if (params['from'] !== undefined || params['to'] !== undefined) {
    return { live: false, from: instant(params['from']), to: instant(params['to']) };
  }
  const preset = PRESETS.find((known) => known.id === params['range']);
  return { live: true, preset: preset?.id ?? DEFAULT_PRESET };
}

/** Writes a choice as address parameters; `range` stays so that LIVE finds its length again. */
export function paramsOf(choice: Choice): Record<string, string | null> {
  if (choice.live) return { range: choice.preset === DEFAULT_PRESET ? null : choice.preset, from: null, to: null };
  return { from: choice.from === null ? 'start' : String(Math.floor(choice.from)), to: choice.to === null ? 'end' : String(Math.ceil(choice.to)) };
}

/** The range meant at an instant. */
export function rangeAt(choice: Choice, nowAt: number): Range {
  if (!choice.live) return { sinceAt: choice.from, untilAt: choice.to };
  const ms = lengthOf(choice.preset);
  return ms === null ? { sinceAt: null, untilAt: null } : { sinceAt: nowAt - ms, untilAt: nowAt };
}

/** Length of a preset in milliseconds, null for everything. */
export function lengthOf(preset: PresetId): number | null {
  return PRESETS.find((known) => known.id === preset)?.ms ?? null;
}

/** What the range button says. */
export function labelOf(choice: Choice, nowAt: number): string {
  if (choice.live) return PRESETS.find((known) => known.id === choice.preset)?.label ?? choice.preset;
  if (choice.from === null && choice.to === null) return 'Everything';
  if (choice.from === null) return `Until ${span(choice.to ?? nowAt, choice.to ?? nowAt, nowAt).split(' – ')[0]}`;
  return span(choice.from, choice.to ?? nowAt, nowAt);
}

/** The fixed range that shows an import with a little air on both sides, or null when it brought nothing. */
export function choiceForImport(done: Pick<ImportView, 'firstAt' | 'lastAt'>): Choice | null {
  if (done.firstAt === null || done.lastAt === null) return null;
  const air = Math.max(1000, (done.lastAt - done.firstAt) * 0.02);
  return { live: false, from: done.firstAt - air, to: done.lastAt + air };
}

function instant(text: string | undefined): number | null {
  if (text === undefined || text === 'start' || text === 'end') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
