import type { Attribute } from '../../lib/bindings';

/** Attributes under one heading. */
export interface AttributeGroup {
  title: string;
  attributes: Attribute[];
}

const GROUPS: [string, RegExp][] = [
  ['Request', /^(http|url|server|client|network|user_agent|rpc|net|peer|service\.peer|grpc|graphql)\b/],
  ['Messaging', /^(messaging|cloudevents)\b/],
  ['Database', /^db\b/],
  ['Code and thread', /^(code|thread)\b/],
];

/** Groups by semantic-convention namespace, in reading order; what fits none comes last as it was sent. */
export function groupAttributes(attributes: Attribute[]): AttributeGroup[] {
  const of = (attribute: Attribute) => GROUPS.find(([, pattern]) => pattern.test(attribute.key))?.[0] ?? 'Other attributes';
  const titles = [...GROUPS.map(([title]) => title), 'Other attributes'];
  return titles
    .map((title) => ({ title, attributes: attributes.filter((attribute) => of(attribute) === title && !isException(attribute)) }))
    .filter((group) => group.attributes.length > 0);
}

function isException(attribute: Attribute): boolean {
  return attribute.key.startsWith('exception.');
}
