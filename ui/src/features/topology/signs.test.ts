import { describe, expect, it } from 'vitest';
import type { DifferenceRow, FindingView } from '../../lib/bindings';
import { gatherChanges, gatherFindings } from './signs';

const who = (name: string) => ({ id: name, name, kind: 'service', layer: 'process', system: null });
const finding = (rule: string, severity: string, ...subject: string[]) => ({ id: rule, rule, title: rule, severity, count: 3, subject: subject.map(who) }) as unknown as FindingView;
const change = (what: string, edge: string | null, name: string) => ({ id: what, what, edge, operation: null, subject: [who(name)] }) as unknown as DifferenceRow;

describe('signs on the map', () => {
  it('puts a finding of two on the line between them, in either direction', () => {
    const { nodes, edges } = gatherFindings([finding('bypass', 'error', 'a', 'b'), finding('lag', 'warning', 'b', 'a'), finding('gone', 'info', 'a', 'c')], [{ id: 'ab', source: 'a', target: 'b' }]);
    expect(edges.get('ab')).toMatchObject({ tone: 'err', text: 'bypass +1' });
    expect(nodes.get('a')).toMatchObject({ tone: 'info', text: 'gone' });
  });
  it('keeps the worst on top', () => {
    const { nodes, edges } = gatherChanges([change('faster', 'e', 'a'), change('more-errors', 'e', 'a'), change('slower', 'e', 'a'), change('added', null, 'n')]);
    expect(edges.get('e')).toMatchObject({ tone: 'err', text: 'more errors +2' });
    expect(nodes.get('n')).toMatchObject({ tone: 'info', text: 'new' });
  });
});
