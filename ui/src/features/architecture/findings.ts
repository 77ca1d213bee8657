import type { FindingEvidence, FindingView } from '../../lib/bindings';

/** What the table lists. */
export type FindingTab = 'open' | 'waived' | 'resolved';

/** Reads the tab of an address. */
export function tabOf(text: string | null): FindingTab {
  return text === 'waived' || text === 'resolved' ? text : 'open';
}

/** Live views ask again after this long: judging must not keep the machine busy. */
export function nextAskMs(tookMs: number): number {
  return Math.max(15_000, tookMs * 10);
}

/** The mark of a severity, as the map's health marks. */
export function severityMark(severity: string): 'failing' | 'degraded' | 'quiet' {
  return severity === 'error' ? 'failing' : severity === 'warning' ? 'degraded' : 'quiet';
}

/** How many of each severity. */
export function bySeverity(findings: readonly FindingView[]): { error: number; warning: number; info: number } {
  const of = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  return { error: of('error'), warning: of('warning'), info: of('info') };
}

/** Findings on known layers first, those that rest on guessed ones apart. */
export function apart(findings: readonly FindingView[]): { sure: FindingView[]; guessed: FindingView[] } {
  return { sure: findings.filter((finding) => !finding.layerGuessed), guessed: findings.filter((finding) => finding.layerGuessed) };
}

/** Where a piece of evidence is shown: area and parameters. */
export function placeOf(evidence: FindingEvidence): { area: 'journeys' | 'events'; params: Record<string, string> } {
  if (evidence.trace !== null) return { area: 'journeys', params: { id: evidence.trace, ...(evidence.span === null ? {} : { span: evidence.span }) } };
  return { area: 'events', params: evidence.row === null ? {} : { row: String(evidence.row) } };
}

/** What a piece of evidence is called: the beginning of its id. */
export function evidenceName(evidence: FindingEvidence): string {
  return (evidence.trace ?? evidence.event ?? '').slice(0, 8);
}

const SURE: Record<string, string> = { certain: 'Certain', strong: 'Quite sure', weak: 'To be judged' };

/** How sure a finding is, in words. */
export function sureWord(sure: string): string {
  return SURE[sure] ?? sure;
}

/** A share in percent without decimals from one percent on: `42 %`, `0.4 %`. */
export function share(part: number): string {
  const value = part * 100;
  if (value > 0 && value < 0.1) return '<0.1\u00a0%';
  return `${value >= 1 || value === 0 ? Math.round(value) : value.toFixed(1)}\u00a0%`;
}
