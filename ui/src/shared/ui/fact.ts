import type { Attribute } from '../../lib/bindings';

/** An attribute of our own making, to show facts in the same list. */
export function fact(key: string, value: string): Attribute {
  return { key, value, redacted: false, removed: false };
}
