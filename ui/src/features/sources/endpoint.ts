import type { ReceiverView } from '../../lib/bindings';

/** The line that points an SDK to the HTTP receiver, or to the gRPC one; null when neither listens. */
export function endpointOf(receivers: ReceiverView[]): string | null {
  const listening = (id: string) => receivers.find((receiver) => receiver.id === id && receiver.state === 'listening' && receiver.address !== null);
  const receiver = listening('otlp-http') ?? listening('otlp-grpc');
  return receiver ? `OTEL_EXPORTER_OTLP_ENDPOINT=http://${receiver.address}` : null;
}
