import type { DesignStep, ScenarioDesign } from '../../lib/bindings';
import { keysAt, removeAt, setAt, valueAt, type Path, type Value } from '../../shared/text/yaml';

/** Edits of a scenario's text by what they mean. Each gives the new text, or null where only the text itself can be edited. */

/** A call becomes an event of a variant, or an event a call. */
export function flip(text: string, design: ScenarioDesign, variant: string, step: DesignStep): string | null {
  const found = design.variants.find((one) => one.name === variant);
  if (!found) return null;
  const named = design.variantsNamed ? text : writeVariants(text, design);
  if (named === null) return null;
  const events = ['variants', variant, 'events'];
  if (!(step.id in found.events)) return setAt(named, [...events, step.id], step.channel);
  const without = removeAt(named, [...events, step.id]);
  return without !== null && keysAt(without, events).length === 0 ? removeAt(without, events) : without;
}

/** Adds a variant in which these steps are events. */
export function addVariant(text: string, design: ScenarioDesign, name: string, events: Record<string, string>): string | null {
  const named = design.variantsNamed ? text : writeVariants(text, design);
  return named === null ? null : setAt(named, ['variants', name], { events });
}

/** A file that names no variants has the usual ones; before one of them changes they are written down. */
function writeVariants(text: string, design: ScenarioDesign): string | null {
  const map: Record<string, Value> = Object.fromEntries(design.variants.map(({ name, events }): [string, Value] => [name, Object.keys(events).length > 0 ? { events: { ...events } as Record<string, Value> } : {}]));
  return setAt(text, ['variants'], map);
}

/** Sets a value, or takes it away. */
export function put(text: string, path: Path, value: Value | undefined): string | null {
  return value === undefined ? removeAt(text, path) : setAt(text, path, value);
}

/** Where the rate of a workload stands; empty where it has none that can be moved. */
export function ratePaths(text: string, workload: number, kind: string): Path[] {
  const arrivals = ['workloads', String(workload), 'arrivals', kind];
  if (kind === 'poisson') return [arrivals];
  if (kind === 'batches') return [[...arrivals, 'poisson']];
  if (kind === 'on_off') return [[...arrivals, 'rate']];
  if (kind !== 'rates') return [];
  const steps = valueAt(text, arrivals);
  return Array.isArray(steps) ? steps.map((_, i) => [...arrivals, String(i), '1']) : [];
}

/** The text with a workload's rates as many times as high. */
export function scaleLoad(text: string, workload: number, kind: string, factor: number): string | null {
  return ratePaths(text, workload, kind).reduce<string | null>((made, path) => {
    if (made === null) return null;
    const rate = parseRate(valueAt(made, path));
    return rate === null ? null : setAt(made, path, writeRate(rate * factor));
  }, text);
}

/** Requests per second of `132/s`, `5/min`, `3/h`. */
export function parseRate(value: unknown): number | null {
  const match = /^([\d.]+(?:e-?\d+)?)\s*\/\s*(ms|s|min|m|h)$/.exec(String(value).trim());
  if (!match) return null;
  const per = { ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 }[match[2]!]!;
  return Number(match[1]) / per;
}

/** A rate as a scenario writes it, with three digits that count. */
export function writeRate(perSecond: number): string {
  const digits = (value: number) => String(Number(value.toPrecision(3)));
  return perSecond >= 0.1 || perSecond === 0 ? `${digits(perSecond)}/s` : `${digits(perSecond * 3600)}/h`;
}

/** A duration as a scenario writes it: `250us`, `8ms`, `1.5s`, `10m`, `1h`. */
export function writeTime(ms: number): string {
  const digits = (value: number) => String(Number(value.toPrecision(4)));
  if (ms < 1) return `${digits(ms * 1000)}us`;
  if (ms < 1000) return `${digits(ms)}ms`;
  if (ms < 60_000 || ms % 60_000 !== 0) return `${digits(ms / 1000)}s`;
  return ms % 3_600_000 === 0 ? `${digits(ms / 3_600_000)}h` : `${digits(ms / 60_000)}m`;
}

/** Milliseconds of what people type: `90s`, `1.5 min`, `250`, which is milliseconds; null where it is no duration. */
export function parseTime(text: string): number | null {
  const match = /^([\d.]+)\s*(us|µs|ms|s|min|m|h)?$/.exec(text.trim());
  if (!match) return null;
  const value = Number(match[1]);
  const unit = { us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }[match[2] ?? 'ms']!;
  return Number.isFinite(value) ? value * unit : null;
}

/** Sets the length of a participant's first outage; nothing takes it away, and where there is none one begins a fifth into the run. */
export function setOutage(text: string, design: ScenarioDesign, participant: string, ms: number): string | null {
  const outages = ['participants', participant, 'outages'];
  const found = design.participants.find((one) => one.name === participant);
  if (!found) return null;
  if (ms <= 0) return found.outages.length > 1 ? setAt(text, outages, (valueAt(text, outages) as Value[]).slice(1)) : removeAt(text, outages);
  if (found.outages.length > 0) return setAt(text, [...outages, '0', 'for'], writeTime(ms));
  return setAt(text, outages, [{ at: writeTime(Math.round(design.durationMs / 5 / 1000) * 1000), for: writeTime(ms) }]);
}
