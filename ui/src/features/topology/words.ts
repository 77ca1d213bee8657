import type { Bucket, Edge, Node } from '../../lib/bindings';
import { clockMinutes, count, duration, percent, plural, rate, rateInWords } from '../../shared/format';
import { healthWord, layerWord } from '../../shared/layers';

/** A node's accessible name: `payments-sys-api, System, failing, 118 per second, 31.4 percent errors`. */
export function nodeName(node: Node, quietSince: number | null = null): string {
  const what = node.kind === 'group' ? `Folded domain of ${node.members.length}, ${layerWord(node.layer)}` : node.kind === 'topic' ? 'Topic' : layerWord(node.layer);
  const parts = [node.name, what, healthWord(node.health), rateInWords(node.figures.rate)];
  if (node.kind === 'topic') {
    parts.push(node.consumers === 0 ? 'no consumer' : plural(node.consumers ?? 0, 'consumer'));
  } else {
    parts.push(`${percent(node.figures.errors, node.figures.count).replace(/\s%/, ' percent')} errors`);
  }
  if (!node.instrumented && node.kind === 'service') parts.push('seen through others only');
  if (quietSince !== null) parts.push(`quiet since ${clockMinutes(quietSince)}`);
  return parts.join(', ');
}

const VERBS: Record<string, string> = { call: 'calls', publish: 'publishes to', consume: 'is consumed by', access: 'uses' };

/** An interaction as a sentence: `order-prc-api calls payments-sys-api`. */
export function edgeName(source: string, target: string, kind: string): string {
  return `${source} ${VERBS[kind] ?? kind} ${target}`;
}

/** Errors per second of an interaction, as its pill says it: `37 err/s`. */
export function errorRate(edge: Edge): string {
  const { errors, count: all, rate: perSecond } = edge.figures;
  if (perSecond === null || all === 0) return `${count(errors)} errors`;
  return rate((perSecond * errors) / all).replace('/', ' err/');
}

/** Second line of small cards: `140/s · 48 ms`, or `81/s · 45.6 %` where calls fail (the card is marked then). */
export function shortFigures(node: Node): string {
  const parts = [rate(node.figures.rate)];
  if (node.health === 'failing' || node.health === 'degraded') parts.push(percent(node.figures.errors, node.figures.count));
  else if (node.figures.p95Ms !== null) parts.push(duration(node.figures.p95Ms));
  return parts.join(' · ');
}

/** Since when the newest buckets have been failing without a break: instant, and the share of errors before. */
export interface FailingRun {
  sinceAt: number;
  /** The run reaches back to the start of the range. */
  whole: boolean;
  /** Share of errors before it, 0 to 1; null when there was nothing. */
  before: number | null;
}

/** Finds the run of failing buckets (5 % and more) at the end of a timeline; buckets without traffic neither start nor break it. */
export function failingRun(timeline: Bucket[]): FailingRun | null {
  const busy = timeline.filter((bucket) => bucket.count > 0);
  let start = busy.length;
  while (start > 0 && busy[start - 1]!.errors / busy[start - 1]!.count >= 0.05) start -= 1;
  const first = busy[start];
  if (!first) return null;
  const before = busy.slice(0, start);
  const all = before.reduce((sum, bucket) => sum + bucket.count, 0);
  const errors = before.reduce((sum, bucket) => sum + bucket.errors, 0);
  return { sinceAt: first.startAt, whole: start === 0, before: all === 0 ? null : errors / all };
}
