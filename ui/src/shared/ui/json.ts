/** A piece of a payload line. */
export interface JsonToken {
  kind: 'key' | 'string' | 'number' | 'word' | 'sign' | 'space' | 'hidden' | 'removed' | 'text';
  text: string;
}

/** What the studio shows in place of a hidden value, and the door in place of a credential. */
const MASK = /^"•+"?$/;
const REMOVED = '"[redacted]"';

const PIECES = /("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\],:])|(\s+)|([^\s"{}[\],:]+)/g;

/** Tokens of each line of a JSON text. Text that is no JSON still comes out whole, as plain text where it must. */
export function jsonLines(text: string): JsonToken[][] {
  return text.split('\n').map(tokensOf);
}

function tokensOf(line: string): JsonToken[] {
  const tokens: JsonToken[] = [];
  for (const [, quoted, colon, number, word, sign, space, rest] of line.matchAll(PIECES)) {
    if (quoted !== undefined) tokens.push({ kind: stringKind(quoted, colon), text: quoted });
    if (colon !== undefined) tokens.push({ kind: 'sign', text: colon });
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    if (word !== undefined) tokens.push({ kind: 'word', text: word });
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    if (space !== undefined) tokens.push({ kind: 'space', text: space });
    if (rest !== undefined) tokens.push({ kind: 'text', text: rest });
  }
  return tokens;
}

function stringKind(quoted: string, colon: string | undefined): JsonToken['kind'] {
  if (colon !== undefined) return 'key';
  if (MASK.test(quoted)) return 'hidden';
  return quoted === REMOVED ? 'removed' : 'string';
}

/** The name a line gives a value to, without quotes. */
export function keyOf(tokens: JsonToken[]): string | null {
  const key = tokens.find((token) => token.kind === 'key');
  if (!key) return null;
  try {
    return JSON.parse(key.text) as string;
  } catch {
    return null;
  }
}

/** Whether a payload is worth colouring as JSON. */
export function looksLikeJson(payload: string, contentType: string | null): boolean {
  if (contentType !== null && /[/+]json\b/i.test(contentType)) return true;
  return /^\s*[{[]/.test(payload);
}
