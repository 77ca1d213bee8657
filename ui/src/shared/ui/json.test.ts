import { describe, expect, it } from 'vitest';
import { jsonLines, keyOf, looksLikeJson } from './json';

const kinds = (line: string) => (jsonLines(line)[0] ?? []).filter((token) => token.kind !== 'space').map((token) => token.kind);

describe('jsonLines', () => {
  it('tells keys, strings, numbers and words apart', () => {
    expect(kinds('  "total": 148.50,')).toEqual(['key', 'sign', 'number', 'sign']);
    expect(kinds('{ "a": "b:c", "d": null, "e": -1.5e-3 }')).toEqual(['sign', 'key', 'sign', 'string', 'sign', 'key', 'sign', 'word', 'sign', 'key', 'sign', 'number', 'sign']);
  });

  it('marks hidden values and credentials', () => {
    expect(kinds('"card": "••••••••"')).toEqual(['key', 'sign', 'hidden']);
    expect(kinds('"token": "[redacted]"')).toEqual(['key', 'sign', 'removed']);
    expect(kinds('"note": "•••• is a mask"')).toEqual(['key', 'sign', 'string']);
  });

  it('loses no letter, whatever the text', () => {
    for (const text of ['{"a": "<img src=x onerror=alert(1)>", "q": "\\"x\\""}', 'plain text, "unclosed', '{"ünï": [1, 2,, }', '@@ 12ab "x" true-ish']) {
      const lines = jsonLines(text);
      expect(lines.map((line) => line.map((token) => token.text).join('')).join('\n')).toBe(text);
    }
  });

  it('names the key of a line', () => {
    expect(keyOf(jsonLines('  "a\\"b": 1')[0] ?? [])).toBe('a"b');
    expect(keyOf(jsonLines('  1,')[0] ?? [])).toBeNull();
  });
});

describe('looksLikeJson', () => {
  it('goes by media type, else by the first sign', () => {
    expect(looksLikeJson('x', 'application/cloudevents+json; charset=utf-8')).toBe(true);
    expect(looksLikeJson(' {"a":1}', null)).toBe(true);
    expect(looksLikeJson('hello', 'text/plain')).toBe(false);
  });
});
