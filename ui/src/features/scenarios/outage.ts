import { line } from 'd3-shape';
import type { ScenarioDesign, VariantResult } from '../../lib/bindings';
import { duration } from '../../shared/format';
import type { Scale } from './sweep';
import { figure } from './words';

/** A planned outage. */
export interface Window {
  name: string;
  from: number;
  to: number;
}

/** Outages as they were simulated (a preview shortens quiet stretches), else as planned. */
export function windowsOf(design: ScenarioDesign, variant: VariantResult | null): Window[] {
  if (variant) return variant.timeline.outages.map((one) => ({ name: one.name, from: one.fromMs, to: one.toMs })).filter((one) => one.from < lengthOf(design, variant));
  return design.participants.flatMap((one) => one.outages.map((outage) => ({ name: one.name, from: outage.atMs, to: outage.atMs + outage.forMs }))).filter((one) => one.from < design.durationMs);
}

/** Length of the stretch that was simulated, else of the one planned, milliseconds. */
export function lengthOf(design: ScenarioDesign, variant: VariantResult | null): number {
  return variant ? variant.timeline.good.length * variant.timeline.stepMs : design.durationMs;
}

/** What waits anywhere, at the end of each step. */
export function backlogOf(variant: VariantResult): number[] {
  return variant.timeline.good.map((_, i) => variant.timeline.backlogs.reduce((sum, one) => sum + (one.values[i] ?? 0), 0));
}

/** A series over time. */
export function stepsOf(values: readonly number[], stepMs: number, x: Scale, y: Scale): string {
  return line<number>().x((_, i) => x((i + 0.5) * stepMs)).y((value) => y(value))([...values]) ?? '';
}

/** Where a series is most itself: its peak, or else its lowest point; null where it hardly moves. */
export function markOf(values: readonly number[], peak: boolean, stepMs: number): { ms: number; value: number } | null {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const value = peak ? high : low;
  if (values.length === 0 || high <= 0 || (!peak && low > high * 0.7)) return null;
  // The middle of where it is so.
  const first = values.indexOf(value);
  return { ms: ((first + values.lastIndexOf(value)) / 2 + 0.5) * stepMs, value };
}

/** How a variant took an outage, in words. */
function took(letter: string, variant: VariantResult, windows: readonly Window[]): string {
  const down = variant.participants.filter((one) => windows.some((window) => window.name === one.name));
  const bad = variant.timeline.bad.reduce((sum, rate) => sum + rate * (variant.timeline.stepMs / 1000), 0);
  const drain = down.flatMap((one) => one.drainMs)[0];
  const waited = Math.max(0, ...backlogOf(variant));
  const failed = bad >= 0.5 ? `fails ${figure(Math.round(bad), 'count')} requests` : 'fails none';
  if (waited < 1) return `${letter} ${failed}`;
  const after = drain === undefined ? '' : drain === null || drain.value === null ? ' and does not drain within the run' : drain.value < 1000 ? '' : `, which drain ${duration(drain.value)} after it`;
  return `${letter} ${failed}, at most ${figure(Math.round(waited), 'count')} wait${after}`;
}

/** What the chart says. */
export function outageSentence(design: ScenarioDesign, a: VariantResult | null, b: VariantResult | null): string {
  const windows = windowsOf(design, a ?? b);
  if (a === null && b === null) return 'Run the scenario to see what happens when.';
  const planned = design.participants.some((one) => one.outages.length > 0);
  const none = planned ? 'The planned outage lies outside of this run' : 'No outage is planned';
  const what = windows.length === 0 ? none : `${windows[0]?.name} down for ${duration((windows[0]?.to ?? 0) - (windows[0]?.from ?? 0))}`;
  return `${what}: ${[a && took('A', a, windows), b && took('B', b, windows)].filter(Boolean).join('; ')}.`;
}

/** The chart as a table: at most forty rows. */
export function outageTable(a: VariantResult | null, b: VariantResult | null): { head: string[]; rows: (string | number | null)[][] } {
  const shown = [a, b].filter((one) => one !== null);
  const head = ['Until', ...shown.flatMap((_, i) => [`${'AB'[i]} good per second`, `${'AB'[i]} bad per second`, `${'AB'[i]} waiting`])];
  const length = shown[0]?.timeline.good.length ?? 0;
  const every = Math.max(1, Math.ceil(length / 40));
  const rows = Array.from({ length: Math.floor(length / every) }, (_, row) => {
    const i = row * every + every - 1;
    return [duration((i + 1) * (shown[0]?.timeline.stepMs ?? 0)), ...shown.flatMap((one) => [figure(one.timeline.good[i] ?? 0, 'count'), figure(one.timeline.bad[i] ?? 0, 'count'), figure(backlogOf(one)[i] ?? 0, 'count')])];
  });
  return { head, rows };
}
