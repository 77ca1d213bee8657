import { backend } from '../../lib/backend';
import type { ReceiverView, SelfTestStep, SilentConnection } from '../../lib/bindings';
import { attempt, notices } from '../state/notices.svelte';

/** The address every interface of this machine answers on, at the port of a listener. */
export function everywhere(address: string): string {
  return `0.0.0.0:${portOf(address)}`;
}

/** The loopback address at the port of a listener. */
export function loopback(address: string): string {
  return `127.0.0.1:${portOf(address)}`;
}

/** The port of `127.0.0.1:4317` or `[::1]:4317`. */
export function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}

/** The address a listener has, or had when it could not be bound. */
export function usualAddress(receiver: ReceiverView): string {
  return receiver.address ?? receiver.offer ?? (receiver.id === 'otlp-grpc' ? '127.0.0.1:4317' : '127.0.0.1:4318');
}

/** Listens somewhere else from now on; true when it does. */
export async function listen(receiver: ReceiverView, address: string | null, acceptRemote = false): Promise<boolean> {
  const done = await attempt(`${receiver.title} was not changed`, () => backend().call('set_listener', { id: receiver.id, address, acceptRemote }));
  if (done) notices.announce(address === null ? `${receiver.title} is off` : `${receiver.title} listens on ${address}`);
  return done;
}

/** Health of a step of the self test. */
export function stepHealth(step: SelfTestStep): string {
  return { ok: 'healthy', failed: 'failing', warning: 'degraded' }[step.outcome] ?? 'quiet';
}

/** How often connections like it were seen, in words; nothing for one. */
export function timesInWords(connection: SilentConnection): string {
  return connection.times > 1 ? `${connection.times.toLocaleString('en-US')} times` : '';
}
