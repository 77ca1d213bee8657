import type { EventView } from '../../lib/bindings';
import { plural } from '../../shared/format';

/** What became of an event, as a sentence. */
export function outcomeSentence(event: EventView): string {
  const { row, deliveries } = event;
  const consumers = new Set(deliveries.map((delivery) => delivery.consumer));
  const refused = deliveries.filter((delivery) => ['nak', 'term', 'failed'].includes(delivery.outcome ?? ''));
  const last = refused[refused.length - 1];
  if (row.outcome.startsWith('dead-lettered')) {
    if (!last) return 'Dead-lettered';
    const tries = Math.max(...deliveries.filter((delivery) => delivery.consumer === last.consumer).map((delivery) => delivery.delivered));
    return `Dead-lettered after ${plural(tries, 'delivery', 'deliveries')} to ${last.consumer}`;
  }
  if (row.outcome === 'no consumer') return 'Published; nobody was seen consuming it';
  if (last && row.outcomeLevel === 'error') return `${last.consumer} ${last.outcome === 'failed' ? 'failed on' : 'rejected'} delivery ${last.delivered}`;
  if (deliveries.length === 0) return 'Published; no delivery seen yet';
  return `${row.outcome.charAt(0).toUpperCase()}${row.outcome.slice(1)}: ${plural(deliveries.length, 'delivery', 'deliveries')} to ${plural(consumers.size, 'consumer')}`;
}

/** Tone of a delivery's outcome. */
export function deliveryLevel(outcome: string | null): string {
  if (outcome === null || outcome === 'progress') return 'neutral';
  return outcome === 'ack' || outcome === 'processed' ? 'ok' : 'error';
}
