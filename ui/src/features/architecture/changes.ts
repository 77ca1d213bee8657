import type { DifferenceRow } from '../../lib/bindings';
import { duration, percent } from '../../shared/format';

/** What a change is called. */
const TITLES: Record<string, string> = { added: 'New', gone: 'Gone', slower: 'Slower', faster: 'Faster', 'more-errors': 'More errors', 'fewer-errors': 'Fewer errors' };

export function changeTitle(row: DifferenceRow): string {
  const title = TITLES[row.what] ?? row.what;
  return (row.what === 'slower' || row.what === 'faster') && !row.median ? `${title}, slow end only` : title;
}

/** The mark of a change, as the map's health marks. */
export function changeMark(what: string): 'failing' | 'degraded' | 'healthy' | 'quiet' {
  if (what === 'more-errors') return 'failing';
  if (what === 'slower') return 'degraded';
  return what === 'added' || what === 'gone' ? 'quiet' : 'healthy';
}

/** The figure that matters, of one side: `2.4 %`, `120 ms / 1.3 s`, `48 times`. */
export function sideFigure(row: DifferenceRow, side: 'before' | 'after'): string {
  const figures = row[side];
  if (figures === null) return '–';
  if (row.what === 'more-errors' || row.what === 'fewer-errors') return percent(figures.errors, figures.count);
  if (row.what === 'slower' || row.what === 'faster') return `${duration(figures.p50Ms)} / ${duration(figures.p95Ms)}`;
  return `${figures.count.toLocaleString('en-US')} times`;
}

/** Where a change is: names, with the operation. */
export function changePlace(row: DifferenceRow): string {
  const names = row.subject.map((who) => who.name).join(row.kind === 'consume' ? ' ⇢ ' : ' → ');
  return row.operation === null ? names : `${names} ${row.operation}`;
}
