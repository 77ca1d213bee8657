/** Names every reader knows from their group's heading need not repeat it. */
const SHORT: Record<string, string> = {
  'http.request.method': 'method',
  'http.route': 'route',
  'http.response.status_code': 'status',
  'url.full': 'url',
  'url.path': 'path',
  'url.query': 'query',
  'url.scheme': 'scheme',
  'server.address': 'server',
  'server.port': 'port',
  'client.address': 'client',
  'user_agent.original': 'user agent',
  'db.system.name': 'system',
  'db.namespace': 'database',
  'db.operation.name': 'operation',
  'db.collection.name': 'collection',
  'db.query.text': 'query',
  'messaging.system': 'system',
  'messaging.destination.name': 'destination',
  'messaging.operation.name': 'operation',
  'messaging.operation.type': 'operation type',
  'messaging.message.id': 'message id',
  'messaging.consumer.group.name': 'consumer group',
};

/** A short name for a well-known attribute; others as they are. */
export function flatten(key: string): string {
  return SHORT[key] ?? key;
}
