import { describe, expect, it } from 'vitest';
import type { Retention, RetentionRule } from '../../lib/bindings';
import { endLine } from '../../shared/state/kept.svelte';
import { asRule, asTexts } from './retention';

const RULE: RetentionRule = { size: '20 GB', journeys: 1000, age: '7 days', failedAge: null, eventsAge: null, logsAge: '1 day' };

describe('what is kept', () => {
  it('goes through the form unchanged', () => {
    expect(asRule(asTexts(RULE))).toEqual(RULE);
    expect(asRule({ ...asTexts(RULE), journeys: ' 1,000 ', age: ' ' })).toEqual({ ...RULE, age: null });
    expect(asRule({ ...asTexts(RULE), journeys: 'many' }).journeys).toBe(0);
  });

  it('is told where lists end, once something went', () => {
    const day = { sinceAt: 0, untilAt: 86_400_000, why: 'more than 20 GB on disk', journeys: 2, spans: 9, events: 0, logs: 0, newestAt: 5 };
    const kept = { words: '', rule: RULE, bytes: 1, free: 0, journeys: 1, kept: 0, figures: 0, fineFromAt: null, middleFromAt: null, total: null, days: [] } satisfies Retention;
    expect(endLine(null)).toBeNull();
    expect(endLine(kept)).toBeNull();
    expect(endLine({ ...kept, total: day, days: [day] })).toContain('more than 20 GB on disk): 2 journeys');
  });
});
