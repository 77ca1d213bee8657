/** What of the map stands in the address: the selection and the folded domains. Pure. */

type Params = Readonly<Record<string, string>>;

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

function joined(values: Iterable<string>): string | null {
  const text = [...values].map(encodeURIComponent).join(',');
  return text === '' ? null : text;
}

/** Selected participants: the primary one first. */
export function selectedIds(params: Params): Set<string> {
  return new Set([...(params['sel'] ? [params['sel']] : []), ...list(params['also'] ?? '')]);
}

/** The same as parameters. */
export function selectionParams(ids: Iterable<string>): { sel: string | null; also: string | null } {
  const [first = null, ...others] = ids;
  return { sel: first, also: joined(others) };
}

/** Folded domains; null leaves it to the size of the map. */
export function foldedDomains(param: string | null): string[] | null {
  if (param === null) return null;
  return param === 'none' ? [] : list(param);
}

/** The same as a parameter. */
export function foldParam(domains: Iterable<string>): string {
  return joined(domains) ?? 'none';
}
