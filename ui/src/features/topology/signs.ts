import type { DifferenceRow, FindingView } from '../../lib/bindings';

/** A mark on a card or a line: how bad, what in a word, what in a sentence, and where more is said. */
export interface Sign {
  tone: 'err' | 'warn' | 'info' | 'good';
  text: string;
  title: string;
  /** The finding or change it opens. */
  id: string;
}

const RANK: Sign['tone'][] = ['err', 'warn', 'info', 'good'];
const SEVERITY: Record<string, Sign['tone']> = { error: 'err', warning: 'warn', info: 'info' };
const CHANGE: Record<string, [Sign['tone'], string]> = { 'more-errors': ['err', 'more errors'], slower: ['warn', 'slower'], added: ['info', 'new'], gone: ['info', 'gone'], 'fewer-errors': ['good', 'fewer errors'], faster: ['good', 'faster'] };

/** Adds a sign; the worst stays on top, the others are counted. */
function put(signs: Map<string, Sign>, at: string, sign: Sign): void {
  const known = signs.get(at);
  if (!known) {
    signs.set(at, sign);
    return;
  }
  const worse = RANK.indexOf(sign.tone) < RANK.indexOf(known.tone) ? sign : known;
  const others = Number(/ \+(\d+)$/.exec(known.text)?.[1] ?? 0) + 1;
  signs.set(at, { ...worse, text: `${worse.text.replace(/ \+\d+$/, '')} +${others}`, title: `${known.title}\n${sign.title}` });
}

/** Broken rules: of two participants on the line between them where there is one, else on the first's card. */
export function gatherFindings(findings: readonly FindingView[], edges: readonly { id: string; source: string; target: string }[]): { nodes: Map<string, Sign>; edges: Map<string, Sign> } {
  const out = { nodes: new Map<string, Sign>(), edges: new Map<string, Sign>() };
  for (const finding of findings) {
    const [from, to] = finding.subject;
    if (!from) continue;
    const names = finding.subject.map((who) => who.name).join(' → ');
    const sign: Sign = { tone: SEVERITY[finding.severity] ?? 'info', text: finding.rule, title: `${finding.title}: ${names}, ${finding.count} times`, id: finding.id };
    const line = to && edges.find((edge) => (edge.source === from.id && edge.target === to.id) || (edge.source === to.id && edge.target === from.id));
    if (line) put(out.edges, line.id, sign);
    else put(out.nodes, from.id, sign);
  }
  return out;
}

/** What has changed. */
export function gatherChanges(rows: readonly DifferenceRow[]): { nodes: Map<string, Sign>; edges: Map<string, Sign> } {
  const out = { nodes: new Map<string, Sign>(), edges: new Map<string, Sign>() };
  for (const row of rows) {
    const [tone, word] = CHANGE[row.what] ?? ['info', row.what];
    const names = row.subject.map((who) => who.name).join(' → ');
    const sign: Sign = { tone, text: word, title: `${word}: ${names}${row.operation === null ? '' : ` ${row.operation}`}`, id: row.id };
    const [first] = row.subject;
    if (row.edge !== null) put(out.edges, row.edge, sign);
    else if (first) put(out.nodes, first.id, sign);
  }
  return out;
}
