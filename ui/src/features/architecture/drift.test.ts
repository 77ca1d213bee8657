import { describe, expect, it } from 'vitest';
import type { DeviationView, DriftView } from '../../lib/bindings';
import { apartKept, byKind, deviationMark } from './drift';
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
  it('reads the part of an address', () => {
    expect([partOf('drift'), partOf('changes'), partOf('x'), partOf(null)]).toEqual(['drift', 'changes', 'findings', 'findings']);
  });
});
