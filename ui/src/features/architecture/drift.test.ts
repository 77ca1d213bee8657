import { describe, expect, it } from 'vitest';
import type { DesignShape, DeviationView, DriftView } from '../../lib/bindings';
import { picture } from './designPicture';
import { apartKept, byKind, deviationMark, marksOf } from './drift';
import { partOf } from './parts';

const deviation = (kind: string, subject: string, kept: string | null = null): DeviationView => ({ id: `${kind}|${subject}`, kind, title: kind, subject, saw: '', who: [], edge: null, count: 1, evidence: [], matches: [], kept, acceptable: true });

describe('drift', () => {
  it('keeps apart what somebody decided to live with', () => {
    const view = { deviations: [deviation('not-seen', 'a'), deviation('not-seen', 'b', 'on purpose')] } as unknown as DriftView;
    expect(apartKept(view)).toEqual({ open: [view.deviations[0]], kept: [view.deviations[1]] });
    expect(apartKept(null)).toEqual({ open: [], kept: [] });
  });
  it('groups by kind in the order given', () => {
    const all = [deviation('other-style', 'a'), deviation('not-seen', 'b'), deviation('other-style', 'c')];
    expect(byKind(all).map(({ title, rows }) => [title, rows.length])).toEqual([['other-style', 2], ['not-seen', 1]]);
  });
  it('marks what breaks worst', () => {
    expect(['other-style', 'unknown-consumer', 'not-seen'].map(deviationMark)).toEqual(['failing', 'degraded', 'quiet']);
  });
  it('draws what lies between parts of the design', () => {
    const part = (name: string, calls: string[]) => ({ name, kind: 'service', layer: null, calls: calls.map((to) => ({ to, operations: [] })), publishes: [], consumes: [], uses: [] });
    const channel = { address: 'c', described: true, publishers: [], consumers: [] };
    const shape = { participants: [part('a', ['b']), part('b', [])], channels: [channel] } as unknown as DesignShape;
    const all = [deviation('not-seen', 'a → b'), deviation('unknown-consumer', 'c → b'), deviation('not-seen', 'c'), deviation('not-designed', 'mail'), deviation('not-seen', 'a → b PUT /x')];
    const marks = marksOf(all, shape);
    expect(marks.map(({ id, event, mark }) => [id, event, mark])).toEqual([['not-seen|a → b', false, 'designed'], ['unknown-consumer|c → b', true, 'observed'], ['not-seen|c', false, 'designed']]);
    expect(picture(shape, marks).lines.map((line) => [line.key, line.mark])).toEqual([['participant a participant b false', 'designed'], ['channel c participant b true', 'observed']]);
  });
  it('reads the part of an address', () => {
    expect([partOf('design'), partOf('drift'), partOf('changes'), partOf('x'), partOf(null)]).toEqual(['design', 'drift', 'changes', 'findings', 'findings']);
  });
});
