import type { DesignEdit, DesignShape } from '../../lib/bindings';
import { removeAt, renameAt, setAt, type Path, type Sorted, type Value } from '../../shared/text/yaml';

/** Edits of a design's text by what they mean. Each gives the new text, or null where only the text itself can be edited. */

const ROOT = ['flowglass', 'title', 'description', 'participants', 'channels', 'kept'];
const PARTICIPANT = ['kind', 'layer', 'system', 'domain', 'owner', 'criticality', 'description', 'aliases', 'servers', 'operations', 'calls', 'publishes', 'consumes', 'uses'];
const CHANNEL = ['system', 'owner', 'description', 'aliases', 'messages'];

/** The order in which `flowglass design` writes keys: those of the format as it lists them, names by their letters. */
export const SORTED: Sorted = {
  compare: (path) => {
    const known = path.length === 0 ? ROOT : path.length === 2 ? (path[0] === 'participants' ? PARTICIPANT : CHANNEL) : [];
    const rank = (key: string) => (known.includes(key) ? known.indexOf(key) : known.length);
    return (a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
  },
};

/** Sets a value; nothing, or an empty list, takes it away. */
export function put(text: string, path: Path, value: Value | undefined): string | null {
  return value === undefined || (Array.isArray(value) && value.length === 0) ? removeAt(text, path) : setAt(text, path, value, SORTED);
}

/** Edits after each other; null where one of them cannot be made. */
export function applied(text: string, edits: readonly { path: Path; value?: Value | undefined }[]): string | null {
  return edits.reduce<string | null>((made, { path, value }) => (made === null ? null : value === undefined ? removeAt(made, path) : setAt(made, path, value, SORTED)), text);
}

/** What is left of a list; nothing, where nothing is. */
const left = (list: string[]): string[] | undefined => (list.length > 0 ? list : undefined);

/** Edits as they come from the backend, which knows no `undefined`. */
export function fromWire(edits: readonly DesignEdit[]): { path: Path; value?: Value | undefined }[] {
  return edits.map(({ path, value }) => ({ path, value: value === null ? undefined : (value as Value) }));
}

const at = (name: string, ...keys: string[]) => ['participants', name, ...keys];
const without = (list: readonly string[], gone: string) => list.filter((one) => one !== gone);
const withOne = (list: readonly string[], one: string) => [...new Set([...list, one])].sort((a, b) => (a < b ? -1 : 1));

/** Adds a participant, or a channel, of which nothing is known yet. */
export function add(text: string, what: 'participants' | 'channels', name: string): string | null {
  return setAt(text, [what, name], {}, SORTED);
}

/** Says that one calls another, and which operations; none means any. */
export function setCall(text: string, caller: string, callee: string, operations: string[]): string | null {
  return setAt(text, at(caller, 'calls', callee), operations, SORTED);
}

/** The inverse. */
export function removeCall(text: string, shape: DesignShape, caller: string, callee: string): string | null {
  const one = shape.participants.find((participant) => participant.name === caller);
  return one ? applied(text, [callsWithout(one, callee)]) : null;
}

/** Takes a participant away, with what others have to do with it. */
export function removeParticipant(text: string, shape: DesignShape, name: string): string | null {
  const edits: { path: Path; value?: Value | undefined }[] = [];
  for (const one of shape.participants) {
    if (one.calls.some((call) => call.to === name)) edits.push(callsWithout(one, name));
    if (one.uses.includes(name)) edits.push({ path: at(one.name, 'uses'), value: left(without(one.uses, name)) });
  }
  edits.push(shape.participants.length === 1 ? { path: ['participants'] } : { path: at(name) });
  return applied(text, edits.filter(({ path }) => path[1] !== name || path.length <= 2));
}

/** A participant's last call goes with the list. */
function callsWithout(one: DesignShape['participants'][number], to: string): { path: Path } {
  return { path: one.calls.length === 1 ? at(one.name, 'calls') : at(one.name, 'calls', to) };
}

/** Gives a participant another name, everywhere. */
export function renameParticipant(text: string, shape: DesignShape, name: string, next: string): string | null {
  let made: string | null = renameAt(text, at(name), next);
  for (const one of shape.participants) {
    const own = one.name === name ? next : one.name;
    if (made !== null && one.calls.some((call) => call.to === name)) made = renameAt(made, at(own, 'calls', name), next);
    if (made !== null && one.uses.includes(name)) made = put(made, at(own, 'uses'), withOne(without(one.uses, name), next));
  }
  return made;
}

/** Takes a channel away, with its users' sides of it. */
export function removeChannel(text: string, shape: DesignShape, address: string): string | null {
  const edits = usersOf(shape, address).map(({ name, key, list }) => ({ path: at(name, key), value: left(without(list, address)) }));
  const described = shape.channels.filter((one) => one.described);
  const own = described.some((one) => one.address === address) ? [{ path: described.length === 1 ? ['channels'] : ['channels', address] }] : [];
  return applied(text, [...edits, ...own]);
}

/** Gives a channel another address, everywhere. */
export function renameChannel(text: string, shape: DesignShape, address: string, next: string): string | null {
  const described = shape.channels.some((one) => one.described && one.address === address);
  const made = described ? renameAt(text, ['channels', address], next) : text;
  const edits = usersOf(shape, address).map(({ name, key, list }) => ({ path: at(name, key), value: withOne(without(list, address), next) }));
  return made === null ? null : applied(made, edits);
}

function usersOf(shape: DesignShape, address: string): { name: string; key: 'publishes' | 'consumes'; list: string[] }[] {
  return shape.participants.flatMap((one) => (['publishes', 'consumes'] as const).filter((key) => one[key].includes(address)).map((key) => ({ name: one.name, key, list: one[key] })));
}

/** What a call is to become an event over, unless somebody says otherwise. */
export function channelFor(callee: string): string {
  const plain = callee.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `${plain || 'channel'}.requested`;
}

/** A call becomes an event: the caller publishes to the channel and the callee consumes it. */
export function toEvent(text: string, shape: DesignShape, caller: string, callee: string, channel: string): string | null {
  const [from, to] = [caller, callee].map((name) => shape.participants.find((one) => one.name === name));
  if (!from || !to) return null;
  return applied(text, [
    callsWithout(from, callee),
    { path: at(caller, 'publishes'), value: withOne(from.publishes, channel) },
    { path: at(callee, 'consumes'), value: withOne(to.consumes, channel) },
  ]);
}

/** An event becomes calls: the publisher calls each consumer of the channel. Who consumes what others publish goes on consuming it. */
export function toCalls(text: string, shape: DesignShape, publisher: string, address: string): string | null {
  const [from, channel] = [shape.participants.find((one) => one.name === publisher), shape.channels.find((one) => one.address === address)];
  if (!from || !channel || channel.consumers.length === 0) return null;
  const others = channel.consumers.filter((name) => name !== publisher);
  let made = put(text, at(publisher, 'publishes'), without(from.publishes, address));
  for (const name of others) {
    if (made !== null && !from.calls.some((call) => call.to === name)) made = setCall(made, publisher, name, []);
    const consumes = shape.participants.find((one) => one.name === name)?.consumes ?? [];
    if (made !== null && channel.publishers.length === 1) made = put(made, at(name, 'consumes'), without(consumes, address));
  }
  return made;
}
