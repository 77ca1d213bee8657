import type { DesignStep, DifferenceView, Estimate, LoadSweep, ScenarioDesign, ScenarioResult, VariantResult, WorkloadResult } from '../../lib/bindings';
import type { Unit } from './words';

/** What two variants are compared in. */
export interface Metric {
  id: string;
  label: string;
  unit: Unit;
  /** Whether more of it is better; null where neither is. */
  more: boolean | null;
  a: Estimate | null;
  b: Estimate | null;
  /** Under the same chances; null where only the two figures are known. */
  difference: DifferenceView | null;
  /** Turned so that it reads b less a. */
  turned: boolean;
}

const NONE: Estimate = { value: null, low: null, high: null, n: 0, why: 'it was not run' };

export function variantOf(result: ScenarioResult | null, name: string | null): VariantResult | null {
  return result?.variants.find((one) => one.name === name) ?? null;
}

/** A workload of a variant; the first where that name is not there. */
export function workloadOf(variant: VariantResult | null, name: string | null): WorkloadResult | null {
  return variant?.workloads.find((one) => one.name === name) ?? variant?.workloads[0] ?? null;
}

/** The two that are shown first: all calls, and what is recommended or else the next one. */
export function usualPair(design: ScenarioDesign | null, recommended: string | null): { a: string | null; b: string | null } {
  const names = design?.variants ?? [];
  const a = names.find((one) => Object.keys(one.events).length === 0)?.name ?? names[0]?.name ?? null;
  const b = names.find((one) => one.name === recommended && one.name !== a)?.name ?? names.find((one) => one.name !== a)?.name ?? null;
  return { a, b };
}

/** The figures of two variants side by side. */
export function metricsOf(result: ScenarioResult, a: string, b: string | null, workload: string | null): Metric[] {
  const [one, two] = [variantOf(result, a), variantOf(result, b)];
  const [first, second] = [workloadOf(one, workload), workloadOf(two, workload)];
  const row = (id: string, label: string, unit: Unit, more: boolean | null, of: (w: WorkloadResult) => Estimate): Metric => {
    const found = result.differences.find((d) => d.metric === id && d.workload === first?.name && ((d.a === a && d.b === b) || (d.a === b && d.b === a))) ?? null;
    return { id, label, unit, more, a: first && of(first), b: second && of(second), difference: found, turned: found !== null && found.a !== a };
  };
  const worst = (variant: VariantResult | null, of: (group: VariantResult['groups'][number]) => Estimate): Estimate => {
    const all = variant?.groups.map(of).filter((found) => found.value !== null) ?? [];
    return all.sort((x, y) => (y.value ?? 0) - (x.value ?? 0))[0] ?? { ...NONE, why: 'it has no events' };
  };
  const plain = (id: string, label: string, unit: Unit, more: boolean | null, x: Estimate | null, y: Estimate | null): Metric => ({ id, label, unit, more, a: x, b: y, difference: null, turned: false });
  return [
    row('responseMedian', 'Response, median', 'ms', false, (w) => w.response.p50),
    row('response', 'Response, 95 of 100 within', 'ms', false, (w) => w.response.p95),
    row('responseWorst', 'Response, 99 of 100 within', 'ms', false, (w) => w.response.p99),
    row('settled', 'All done, 95 of 100 within', 'ms', false, (w) => w.settled.p95),
    row('succeeded', 'Answered well', 'share', true, (w) => w.succeeded),
    row('falseSuccess', 'Promised but never done', 'share', false, (w) => w.falseSuccess),
    row('late', 'Done later than allowed', 'share', false, (w) => w.late),
    row('throughput', 'Good answers', 'rate', true, (w) => w.throughput),
    plain('deadLettered', 'Messages given up', 'share', false, one && worst(one, (group) => group.deadLettered), two && worst(two, (group) => group.deadLettered)),
    plain('duplicated', 'Messages with an effect twice', 'share', false, one && worst(one, (group) => group.duplicated), two && worst(two, (group) => group.duplicated)),
    row('amplification', 'Work started for a request', 'count', null, (w) => w.amplification),
  ];
}

/** The difference b less a of a metric, with its interval; null where there is none. */
export function differenceOf(metric: Metric): { value: number; low: number | null; high: number | null; zone: number; verdict: string } | null {
  const d = metric.difference;
  if (d?.value.value === null || d === null) return null;
  const { value, low, high } = d.value;
  if (!metric.turned) return { value: value ?? 0, low, high, zone: d.indifference, verdict: d.verdict };
  const verdict = { better: 'worse', worse: 'better' }[d.verdict] ?? d.verdict;
  return { value: -(value ?? 0), low: high === null ? null : -high, high: low === null ? null : -low, zone: d.indifference, verdict };
}

/** The first load at which a variant cannot keep up; null where it kept up with all. */
export function saturation(sweep: LoadSweep | null, variant: string | null): number | null {
  return sweep?.points.find((point) => point.variants.some((one) => one.name === variant && one.responseP95.value === null && one.settledP95.value === null) || point.variants.some((one) => one.name === variant && one.settledP95.value === null))?.rate ?? null;
}

/** Participants with a planned outage that a user's answer has to go through. */
export function outagesOnPath(design: ScenarioDesign, events: Readonly<Record<string, string | undefined>>): string[] {
  const down = design.participants.filter((one) => one.outages.length > 0).map((one) => one.name);
  return down.filter((name) => waitedFor(design, events).has(name));
}

/** Participants that a user waits for. */
export function waitedFor(design: ScenarioDesign, events: Readonly<Record<string, string | undefined>>): Set<string> {
  const met = new Set<string>();
  const open = design.workloads.map((workload) => workload.to);
  const seen = new Set<string>();
  const callerOf = (step: DesignStep) => step.path[1] ?? '';
  while (open.length > 0) {
    const operation = open.pop()!;
    if (seen.has(operation)) continue;
    seen.add(operation);
    met.add(operation.split('.')[0]!);
    for (const step of design.steps) if (callerOf(step) === operation && events[step.id] === undefined) open.push(step.operation);
  }
  return met;
}
