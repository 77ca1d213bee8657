import type { Range } from '../../lib/bindings';

/** A range as the address keeps it: `1700000000000-1700000060000`. */
export function rangeParam({ sinceAt, untilAt }: Range): string {
  return `${sinceAt === null ? '' : Math.round(sinceAt)}-${untilAt === null ? '' : Math.round(untilAt)}`;
}

/** The inverse of {@link rangeParam}. */
export function rangeOf(text: string | null): Range | null {
  const found = /^(\d*)-(\d*)$/.exec(text ?? '');
  if (!found) return null;
  const at = (part: string | undefined) => (part === undefined || part === '' ? null : Number(part));
  return { sinceAt: at(found[1]), untilAt: at(found[2]) };
}

/** The range of the same length right before another; null where that is open. */
export function rightBefore(range: Range): Range | null {
  const { sinceAt, untilAt } = range;
  if (sinceAt === null || untilAt === null || untilAt <= sinceAt) return null;
  return { sinceAt: sinceAt - (untilAt - sinceAt), untilAt: sinceAt };
}
