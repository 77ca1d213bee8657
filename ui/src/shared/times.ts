/** Instants (milliseconds since the epoch) as people read them, in the zone that is switched on, and as programs want them. */

import { zone } from './state/zone.svelte';

const SHAPES = {
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minutes: { hour: '2-digit', minute: '2-digit' },
  day: { day: 'numeric', month: 'short', year: 'numeric' },
  shortDay: { day: 'numeric', month: 'short' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Making a formatter costs a hundred times what using it does, and lists use it thousands of times. */
const made = new Map<string, Intl.DateTimeFormat>();

function written(shape: keyof typeof SHAPES, at: number): string {
  const key = `${shape} ${zone.id ?? ''}`;
  let format = made.get(key);
  if (!format) made.set(key, (format = new Intl.DateTimeFormat('en-GB', { ...SHAPES[shape], timeZone: zone.id })));
  return format.format(at);
}

/** Time of day: `14:31:52`. */
export function clock(at: number): string {
  return written('clock', at);
}

/** Time of day with milliseconds: `14:31:52.064`. */
export function clockMs(at: number): string {
  return `${clock(at)}.${String(((Math.floor(at) % 1000) + 1000) % 1000).padStart(3, '0')}`;
}

/** Hours and minutes: `14:31`. */
export function clockMinutes(at: number): string {
  return written('minutes', at);
}

/** Time of day with its zone: `14:31:52 CET`. */
export function clockZone(at: number): string {
  return `${clock(at)} ${zoneName(at)}`;
}

/** Day: `23 Nov 2026`. */
export function day(at: number): string {
  return written('day', at);
}

/** Day and minute, for axes: `23 Nov 14:31`. */
export function dayMinutes(at: number): string {
  return `${written('shortDay', at)} ${clockMinutes(at)}`;
}

/** Day and time with its zone: `23 Nov 2026 14:31:52 CET`. */
export function dateTime(at: number): string {
  return `${day(at)} ${clockZone(at)}`;
}

/** For tooltips: the time as shown, to the millisecond, and the same as RFC 3339 in UTC. */
export function bothTimes(at: number): string {
  return `${day(at)} ${clockMs(at)} ${zoneName(at)}\n${rfc3339(at, true)}`;
}

/** A range in as few words as tell it: `14:02 – 14:32`, with the day where it is not today. */
export function span(sinceAt: number, untilAt: number, nowAt: number): string {
  const fine = untilAt - sinceAt < 10 * 60_000 ? clock : clockMinutes;
  const from = fine(sinceAt);
  const until = fine(untilAt);
  // The year where it is another one.
  const thisYear = [sinceAt, untilAt].every((at) => day(at).slice(-4) === day(nowAt).slice(-4));
  const short = (at: number) => (thisYear ? written('shortDay', at) : day(at));
  if (day(sinceAt) !== day(untilAt)) return `${short(sinceAt)} ${from} – ${short(untilAt)} ${until}`;
  return day(sinceAt) === day(nowAt) ? `${from} – ${until}` : `${short(sinceAt)} ${from} – ${until}`;
}

/** Short name of the zone shown, as it is called at an instant (`CET` in winter, `CEST` in summer): `UTC`, `GMT+5:30`. */
export function zoneName(at: number): string {
  if (zone.utc) return 'UTC';
  // Which zones have a name of letters depends on the region: Europe's in British English, America's in American.
  const named = (region: string) => new Intl.DateTimeFormat(region, { timeZoneName: 'short' }).formatToParts(at).find((part) => part.type === 'timeZoneName')?.value;
  const key = `zone ${new Date(at).getTimezoneOffset()}`;
  let name = names.get(key);
  if (name === undefined) {
    const british = named('en-GB') ?? 'local time';
    const american = named('en-US') ?? british;
    name = british.startsWith('GMT') && !american.startsWith('GMT') ? american : british;
    names.set(key, name);
  }
  return name;
}
const names = new Map<string, string>();

/** RFC 3339 in the zone shown (or in UTC), as precise as the instant is known: to the microsecond, or the millisecond where there are none. */
export function rfc3339(at: number, utc = zone.utc): string {
  const micros = Math.round((at - Math.floor(at)) * 1000);
  const whole = Math.floor(at) + (micros === 1000 ? 1 : 0);
  const offset = utc ? 0 : -new Date(whole).getTimezoneOffset();
  const [seconds = '', millis = ''] = new Date(whole + offset * 60_000).toISOString().slice(0, -1).split('.');
  const fine = micros % 1000 === 0 ? '' : String(micros).padStart(3, '0');
  return `${seconds}.${millis}${fine}${utc ? 'Z' : signed(offset)}`;
}

/** As an input of type `datetime-local` wants it: wall-clock time of the zone shown. */
export function toInput(at: number): string {
  const offset = zone.utc ? 0 : -new Date(at).getTimezoneOffset();
  return new Date(at + offset * 60_000).toISOString().slice(0, 19);
}

/** The instant an input of type `datetime-local` means in the zone shown; null when it is empty. */
export function fromInput(text: string): number | null {
  const at = text === '' ? NaN : new Date(zone.utc ? `${text}Z` : text).getTime();
  return Number.isFinite(at) ? at : null;
}

function signed(minutes: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
}
