import { describe, expect, it } from 'vitest';
import type { SettingsView } from '../../lib/bindings';
import { asShown, meaning, moved, placed, rowProblem } from './lists';
import { filterSections, hasAll, saidBy, wordsOf } from './search';

const COLUMNS = [{ key: 'matchName', label: 'Participant' }, { key: 'owner', label: 'Owner' }, { key: 'contact', label: 'Contact', optional: true }];
const ROWS = [{ matchName: 'a', owner: 'A', contact: '' }, { matchName: 'b', owner: 'B', contact: '' }];

describe('rows', () => {
  it('move within bounds', () => {
    expect(moved(['a', 'b'], 1, -1)).toEqual(['b', 'a']);
    expect(moved(ROWS, 0, -1)).toBe(ROWS);
    expect(moved(ROWS, 1, 1)).toBe(ROWS);
  });

  it('are replaced, or added at the end', () => {
    expect(placed(['a', 'b'], 0, 'x')).toEqual(['x', 'b']);
    expect(placed(['a'], 1, 'x')).toEqual(['a', 'x']);
  });

  it('must say what they need to, once per name', () => {
    expect(rowProblem(ROWS, 0, { matchName: 'a', owner: ' ' }, COLUMNS)).toBe('Owner is missing.');
    expect(rowProblem(ROWS, 0, { matchName: 'b', owner: 'A' }, COLUMNS)).toContain('already');
    expect(rowProblem(ROWS, 0, { matchName: 'a', owner: 'A' }, COLUMNS)).toBeNull();
    expect(rowProblem(ROWS, 2, { matchName: 'c', owner: 'C' }, COLUMNS)).toBeNull();
  });

  it('say what they mean', () => {
    expect(meaning(0, [], 'participant', 'participants')).toBe('no participant so far');
    expect(meaning(1, ['a'], 'participant', 'participants')).toBe('1 participant: a');
    expect(meaning(9, ['a', 'b'], 'participant', 'participants')).toBe('9 participants: a, b and 7 more');
  });
});

describe('undo', () => {
  const view = {
    layers: [], patterns: [{ pattern: '-x', layer: 'system' }], patternsBuiltIn: true, domains: [{ matchName: 'a', domain: 'A' }],
    noise: [{ pattern: 'GET /x', requests: 1 }], noiseBuiltIn: false, defaultNoise: ['*/ping'], redaction: ['iban'], redactionBuiltIn: false,
  } as unknown as SettingsView;

  it('brings back the lists that were changed, and only those', () => {
    expect(asShown(view, { domains: [], noise: [] })).toEqual({ domains: [{ matchName: 'a', domain: 'A' }], noise: ['GET /x'] });
    expect(asShown(view, { patterns: [], redaction: [] })).toEqual({ patterns: [], redaction: ['iban'] });
    expect(asShown({ ...view, noiseBuiltIn: true }, { noise: [] })).toEqual({ noise: ['*/ping'] });
  });
});

describe('search', () => {
  it('needs all words, whatever their case', () => {
    expect(hasAll('Single-letter Keys', wordsOf(' keys  LETTER '))).toBe(true);
    expect(hasAll('Single-letter keys', wordsOf('keys theme'))).toBe(false);
  });

  it('finds what stands in fields and names', () => {
    const section = document.createElement('section');
    section.innerHTML = '<h2>Owners</h2><input aria-label="Owner of a" placeholder="Team" value="Payments">';
    for (const word of ['owners', 'payments', 'team', 'owner of a']) expect(saidBy(section).toLowerCase()).toContain(word);
  });

  it('hides sections without the words and pages without sections', () => {
    const root = document.createElement('div');
    root.innerHTML = '<div data-page="a"><header>A</header><section>theme dark</section><section>keyboard</section></div><div data-page="b"><header>B file</header><section>path</section></div>';
    const pages = (): string => [...root.querySelectorAll<HTMLElement>('[data-page], section')].map((one) => (one.hidden ? '-' : '+')).join('');
    let counts: Record<string, number> = {};
    const found = (now: Record<string, number>): void => void (counts = now);
    const end = filterSections(() => 'theme', found)(root);
    expect(pages()).toBe('++---');
    expect(counts).toEqual({ a: 1, b: 0 });
    end?.();
    expect(pages()).toBe('+++++');
    filterSections(() => 'file', found)(root);
    expect(counts).toEqual({ a: 0, b: 1 });
  });
});
