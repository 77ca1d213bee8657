import type { DestinationRow } from '../../lib/bindings';

/** Destinations that are kept together: a stream, or everything of a system without one. */
export interface DestinationGroup {
  key: string;
  title: string;
  /** Technology, when the title does not say it. */
  system: string;
  rows: DestinationRow[];
  publications: number;
  spansOnly: boolean;
}

/** Groups by stream, else by system; streams first, dead-letter groups last. */
export function groupDestinations(rows: DestinationRow[]): DestinationGroup[] {
  const groups = new Map<string, DestinationGroup>();
  for (const row of rows) {
    const key = row.stream === null ? `system:${row.system}` : `stream:${row.system}/${row.stream}`;
    const group = groups.get(key) ?? { key, title: row.stream ?? systemName(row.system), system: row.system, rows: [], publications: 0, spansOnly: true };
    group.rows.push(row);
    group.publications += row.publications;
    group.spansOnly &&= row.spansOnly;
    groups.set(key, group);
  }
  for (const group of groups.values()) group.rows.sort((a, b) => Number(a.isDeadLetter) - Number(b.isDeadLetter) || (a.name < b.name ? -1 : 1));
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || (a.title < b.title ? -1 : 1));
}

/** What is wrong with a destination, if anything. */
export function troubleOf(row: DestinationRow): 'dead' | 'unread' | null {
  if (row.deadLettered > 0 || (row.isDeadLetter && row.publications > 0)) return 'dead';
  return row.consumers.length === 0 && row.publications > 0 && !row.isDeadLetter ? 'unread' : null;
}

/** A broker technology as its makers write it. */
export function systemName(system: string): string {
  const names: Record<string, string> = { nats: 'NATS', kafka: 'Kafka', rabbitmq: 'RabbitMQ', aws_sqs: 'Amazon SQS', aws_sns: 'Amazon SNS', gcp_pubsub: 'Google Pub/Sub', servicebus: 'Azure Service Bus', eventhubs: 'Azure Event Hubs', eventgrid: 'Azure Event Grid', pulsar: 'Pulsar', jms: 'JMS', activemq: 'ActiveMQ', rocketmq: 'RocketMQ', mqtt: 'MQTT', http: 'HTTP', cloudevents: 'CloudEvents' };
  return names[system] ?? system;
}

function rank(group: DestinationGroup): number {
  if (group.rows.every((row) => row.isDeadLetter)) return 2;
  return group.key.startsWith('stream:') ? 0 : 1;
}
