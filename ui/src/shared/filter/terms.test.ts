import { describe, expect, it } from 'vitest';
import { attributeField, quote, termsOf, unquote, valuesOf, withComparison, withoutField, withTerm, withValues } from './terms';

describe('terms', () => {
  it('are taken apart as the studio reads them', () => {
    const parts = termsOf('service:a,"b c" -state:ok duration>=2s @"my header":"x:y" POST -"a b" "open x').map((term) => [term.negated, term.field, term.operator, term.value]);
    expect(parts).toEqual([
      [false, 'service', ':', 'a,"b c"'],
      [true, 'state', ':', 'ok'],
      [false, 'duration', '>=', '2s'],
      [false, '@"my header"', ':', '"x:y"'],
      [false, null, '', 'POST'],
      [true, null, '', '"a b"'],
      [false, null, '', '"open x'],
    ]);
    expect(termsOf('  a  b:c ').map((term) => [term.from, term.to])).toEqual([[2, 3], [5, 8]]);
  });

  it('quote what would be read otherwise', () => {
    expect(['orders.placed', 'a b', 'x:y', '', '-1', 'a*', 'say "hi"', 'c:\\d'].map(quote)).toEqual(['orders.placed', '"a b"', '"x:y"', '""', '"-1"', '"a\\*"', '"say \\"hi\\""', '"c:\\\\d"']);
    for (const value of ['a b', 'say "hi" \\ *', '', 'plain']) expect(unquote(quote(value))).toBe(value);
    expect([attributeField('http.route'), attributeField('my header')]).toEqual(['@http.route', '@"my header"']);
  });

  it('are added once and replace their opposite', () => {
    expect(withTerm('', 'state', 'failed')).toBe('state:failed');
    expect(withTerm('state:failed', 'state', 'failed')).toBe('state:failed');
    expect(withTerm('x state:failed', 'state', 'failed', true)).toBe('x -state:failed');
    expect(withTerm('x', null, 'a b')).toBe('x "a b"');
  });

  it('of one field are read, set and removed', () => {
    expect(valuesOf('state:failed,degraded state:"in-progress" -state:ok', 'state')).toEqual(['failed', 'degraded', 'in-progress']);
    expect(withValues('a state:ok b', 'state', ['failed', 'degraded'])).toBe('a b state:failed,degraded');
    expect(withValues('a state:ok', 'state', [])).toBe('a');
    expect(withoutField('a state:ok -state:failed duration>1s', 'state')).toBe('a duration>1s');
    expect(withComparison('duration>1s duration<5s', 'duration', '>', '2s')).toBe('duration<5s duration>2s');
    expect(withComparison('duration>1s', 'duration', '>', null)).toBe('');
  });
});
