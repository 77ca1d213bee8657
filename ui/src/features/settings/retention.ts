import type { RetentionRule } from '../../lib/bindings';

/** The rule as the form holds it: texts, empty for what says nothing. */
export type RuleTexts = { size: string; journeys: string; age: string; failedAge: string; eventsAge: string; logsAge: string };

/** A rule for the form. */
export function asTexts(rule: RetentionRule): RuleTexts {
  const { size, journeys, age, failedAge, eventsAge, logsAge } = rule;
  return { size, journeys: journeys === null ? '' : String(journeys), age: age ?? '', failedAge: failedAge ?? '', eventsAge: eventsAge ?? '', logsAge: logsAge ?? '' };
}

/** What the form says; a number that is none stays one that the studio refuses with a reason. */
export function asRule(texts: RuleTexts): RetentionRule {
  const said = (text: string) => (text.trim() === '' ? null : text.trim());
  const journeys = said(texts.journeys);
  return {
    size: texts.size.trim(),
    journeys: journeys === null ? null : Number(journeys.replace(/[ ,_]/g, '')) || 0,
    age: said(texts.age),
    failedAge: said(texts.failedAge),
    eventsAge: said(texts.eventsAge),
    logsAge: said(texts.logsAge),
  };
}
