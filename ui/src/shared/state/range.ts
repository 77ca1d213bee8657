import type { ImportView, Range } from '../../lib/bindings';
import { span } from '../times';

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

/** A length ending now. */
export interface Last {
  kind: 'last';
  live: true;
  preset: PresetId;
}
/** Two fixed instants; null is open. */
export interface Fixed {
  kind: 'fixed';
  live: false;
  from: number | null;
  to: number | null;
}
/** From a mark to now (then LIVE), up to a mark, or between two: names of marks. */
export interface Marked {
  kind: 'marks';
  live: boolean;
  since: string | null;
  until: string | null;
}
/** What is chosen. */
export type Choice = Last | Fixed | Marked;

/** When a mark is; null when there is none of this name. */
export type MarkAt = (name: string) => number | null;

const NO_MARKS: MarkAt = () => null;

/** Reads a choice from address parameters: instants win over marks, marks over lengths. */
export function choiceOf(params: Record<string, string>): Choice {
  const { from, to, since = null, until = null } = params;
  if (from !== undefined || to !== undefined) return { kind: 'fixed', live: false, from: instant(from), to: instant(to) };
  if (since !== null || until !== null) return { kind: 'marks', live: until === null, since, until };
  const preset = PRESETS.find((known) => known.id === params['range']);
  return { kind: 'last', live: true, preset: preset?.id ?? DEFAULT_PRESET };
}

/** Writes a choice as address parameters. While instants are fixed, `range`, `since` and `until` stay: LIVE finds them again. */
export function paramsOf(choice: Choice): Record<string, string | null> {
  switch (choice.kind) {
    case 'last':
      return { range: choice.preset === DEFAULT_PRESET ? null : choice.preset, from: null, to: null, since: null, until: null };
    case 'marks':
      return { from: null, to: null, since: choice.since, until: choice.until };
    case 'fixed':
      return { from: choice.from === null ? 'start' : String(Math.floor(choice.from)), to: choice.to === null ? 'end' : String(Math.ceil(choice.to)) };
  }
}

/** The range meant at an instant. A mark that is gone leaves its side open. */
export function rangeAt(choice: Choice, nowAt: number, markAt: MarkAt = NO_MARKS): Range {
  switch (choice.kind) {
    case 'fixed':
      return { sinceAt: choice.from, untilAt: choice.to };
    case 'marks': {
      const sinceAt = choice.since === null ? null : markAt(choice.since);
      return { sinceAt, untilAt: choice.until === null ? null : markAt(choice.until) };
    }
    case 'last': {
      const ms = lengthOf(choice.preset);
      return ms === null ? { sinceAt: null, untilAt: null } : { sinceAt: nowAt - ms, untilAt: nowAt };
    }
  }
}

/** Figures are added up in steps of this length, milliseconds: a step counts when it begins in the range. */
const STEP_MS = 10_000;

/** From when on figures show what comes after an instant: the step that an instant lies in began before it. */
export function drawnFrom(at: number): number {
  return Math.ceil(at / STEP_MS) * STEP_MS;
}

/** The range before or after, as long as this one and beside it; LIVE again when that would reach beyond now. Null where there is no length. */
export function stepped(range: Range, direction: 1 | -1, nowAt: number): Fixed | 'live' | null {
  if (range.sinceAt === null) return null;
  const until = range.untilAt ?? nowAt;
  const by = direction * (until - range.sinceAt);
  if (by === 0) return null;
  if (direction > 0 && until + by > nowAt) return 'live';
  return { kind: 'fixed', live: false, from: range.sinceAt + by, to: until + by };
}

/** Length of a preset in milliseconds, null for everything. */
export function lengthOf(preset: PresetId): number | null {
  return PRESETS.find((known) => known.id === preset)?.ms ?? null;
}

/** What the range button says. */
export function labelOf(choice: Choice, nowAt: number): string {
  if (choice.kind === 'last') return PRESETS.find((known) => known.id === choice.preset)?.label ?? choice.preset;
  if (choice.kind === 'marks') {
    if (choice.since !== null && choice.until !== null) return `${choice.since} – ${choice.until}`;
    return choice.since !== null ? `since ${choice.since}` : `until ${choice.until}`;
  }
  if (choice.from === null && choice.to === null) return 'Everything';
  if (choice.from === null) return `Until ${span(choice.to ?? nowAt, choice.to ?? nowAt, nowAt).split(' – ')[0]}`;
  return span(choice.from, choice.to ?? nowAt, nowAt);
}

/** The fixed range that shows all that some imports brought, a little air and whole steps on both sides; null when that is nothing. */
export function choiceForImports(done: Pick<ImportView, 'firstAt' | 'lastAt'>[]): Fixed | null {
  const firsts = done.map((one) => one.firstAt).filter((at) => at !== null);
  const lasts = done.map((one) => one.lastAt).filter((at) => at !== null);
  if (firsts.length === 0 || lasts.length === 0) return null;
  const [first, last] = [Math.min(...firsts), Math.max(...lasts)];
  const air = Math.max(1000, (last - first) * 0.02);
  return { kind: 'fixed', live: false, from: Math.floor((first - air) / STEP_MS) * STEP_MS, to: Math.ceil((last + air) / STEP_MS) * STEP_MS };
}

function instant(text: string | undefined): number | null {
  if (text === undefined || text === 'start' || text === 'end') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
