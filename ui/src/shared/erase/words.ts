import type { EraseReport, EraseRequest } from '../../lib/bindings';
import { dateTime, plural } from '../format';

/** How much a report is about: `2 journeys: 14 spans, 3 events and 1 log record`. */
export function amount(report: EraseReport): string {
  const parts = [report.spans > 0 ? plural(report.spans, 'span') : '', report.events > 0 ? plural(report.events, 'event') : '', report.logs > 0 ? plural(report.logs, 'log record') : ''].filter((part) => part !== '');
  const last = parts.pop();
  const list = parts.length > 0 ? `${parts.join(', ')} and ${last}` : (last ?? '');
  if (report.journeys === 0) return list === '' ? 'nothing' : list;
  const journeys = plural(report.journeys, 'journey');
  return list === '' ? journeys : `${journeys}: ${list}`;
}

/** When it was, or null when there is nothing. */
export function covered(report: EraseReport): string | null {
  if (report.firstAt === null || report.lastAt === null) return null;
  return `from ${dateTime(report.firstAt)} to ${dateTime(report.lastAt)}`;
}

/** What the dialog is called. */
export function title(request: Pick<EraseRequest, 'what' | 'journeys'>): string {
  if (request.what === 'everything') return 'Delete everything';
  if (request.what === 'range') return 'Delete this time range';
  if (request.what === 'matching') return 'Delete these journeys';
  return request.journeys.length === 1 ? 'Delete this journey' : `Delete ${plural(request.journeys.length, 'journey')}`;
}

/** What stays, so that nobody has to guess. */
export function stays(request: Pick<EraseRequest, 'what'>): string {
  if (request.what === 'everything') return 'Settings and connections stay; marks go.';
  if (request.what === 'range') return 'Journeys count by when they started: one that began before the range stays whole.';
  if (request.what === 'matching') return 'Other journeys, what they share, and folded health checks stay.';
  return 'What other journeys share stays.';
}
