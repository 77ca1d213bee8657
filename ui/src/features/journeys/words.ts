import type { Item, JourneyRow, Lifeline, MarkView, SequenceStep } from '../../lib/bindings';
import { duration } from '../../shared/format';

/** State of a journey in a word. */
export function stateWord(state: string): string {
  return { ok: 'OK', failed: 'Failed', degraded: 'Degraded', incomplete: 'Incomplete', 'in-progress': 'In progress' }[state] ?? state;
}

/** The key people know a journey by. */
export function mainKey(row: JourneyRow): string | null {
  const business = row.keys.find((key) => !/^(request|correlation)/i.test(key.name)) ?? row.keys[0];
  return business?.value ?? null;
}

/** What a row of the list is called when read aloud. */
export function rowName(row: JourneyRow): string {
  const parts = [row.root, mainKey(row), stateWord(row.state), duration(row.settledMs)];
  return parts.filter(Boolean).join(', ');
}

/** What a row of the waterfall is called when read aloud. */
export function itemName(item: Item, marks: readonly MarkView[] = []): string {
  const parts = [`${item.participantName} ${item.name}`, item.role, item.status === 'error' ? 'failed' : null, item.badge, item.type === 'span' ? duration(item.durationMs) : null, item.guessed ? 'only guessed to belong' : null, ...marks.map((mark) => mark.words)];
  return parts.filter(Boolean).join(', ');
}

/** What a remark is called on a bar. */
export function markWord(kind: string): string {
  const words: Record<string, string> = { duplicate: 'duplicate', nak: 'nak', term: 'term', 'dead-lettered': 'dead letter', 'client-error': "caller's error", cancelled: 'cancelled', 'clock-skew': 'clock differs', hub: 'hub' };
  return words[kind] ?? kind;
}

/** Remarks by the item they are about. */
export function marksByItem(marks: readonly MarkView[]): Map<string, MarkView[]> {
  const out = new Map<string, MarkView[]>();
  for (const mark of marks) out.set(mark.uid, [...(out.get(mark.uid) ?? []), mark]);
  return out;
}

/** Remarks that the bar does not say anyway: retries and deliveries have their numbers, an acknowledgement is what is usual. */
export function ownMarks(marks: readonly MarkView[], item: Item): MarkView[] {
  const seen = new Set(['retry', 'redelivery', 'ack', item.badge]);
  return marks.filter((mark) => !seen.has(mark.kind) && seen.add(mark.kind));
}

/** A sentence split after its subject, for a headline and the rest: `… returned 500` and `: acquirer timed out`. */
export function splitCause(cause: string): { headline: string; rest: string | null } {
  const at = cause.search(/: | after | because /);
  if (at < 12) return { headline: cause, rest: null };
  const rest = cause.slice(at).replace(/^: /, '').trim();
  return { headline: cause.slice(0, at), rest: rest === '' ? null : rest.charAt(0).toUpperCase() + rest.slice(1) };
}

/** How a join was made, in words. */
export function joinWord(how: string): string {
  const words: Record<string, string> = { parent: 'parent span', 'span-link': 'span link', traceparent: 'trace context in the message headers', 'message-id': 'message id', origin: 'origin context in the event', sequence: 'stream sequence', causation: 'cause named by the event', 'correlation-id': 'correlation id', b3: 'trace context in another format (B3, Jaeger, Datadog)', inferred: 'guessed from a business key' };
  return words[how] ?? how;
}

/** How a step differs, in a word. */
export function changeWord(change: string): string {
  return { same: 'the same', slower: 'slower', faster: 'faster', failed: 'failed', recovered: 'recovered', missing: 'missing', added: 'added' }[change] ?? change;
}

/** The same as a sign, so that colour is not needed. */
export function changeMark(change: string): string {
  return { slower: '↑', faster: '↓', failed: '×', recovered: '✓', missing: '−', added: '+' }[change] ?? '';
}

/** What a message of the sequence diagram is called when read aloud. */
export function stepName(step: SequenceStep, lifelines: readonly Lifeline[]): string {
  const from = step.from === null ? 'an unknown caller' : (lifelines[step.from]?.name ?? '');
  const to = lifelines[step.to]?.name ?? '';
  const verb = { call: 'calls', reply: 'answers', publish: 'publishes to', deliver: 'delivers to', local: 'calls' }[step.kind] ?? step.kind;
  const parts = [`${from} ${verb} ${step.kind === 'local' ? '' : to} ${step.name}`.replaceAll('  ', ' '), step.status === 'error' ? 'failed' : null, step.badge, step.delivery !== null && step.delivery > 1 ? `delivery ${step.delivery}` : null];
  return parts.filter(Boolean).join(', ');
}
