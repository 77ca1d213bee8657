/** Figures and times as people read them. Times follow the switch between local time and UTC. */

export { bothTimes, clock, clockMinutes, clockMs, clockZone, dateTime, day, dayMinutes, fromInput, rfc3339, span, toInput, zoneName } from './times';

const NBSP = '\u00a0';

/** A count, shortened from ten thousand on: `9,812`, `48.8 k`, `1.2 M`. */
export function count(n: number): string {
  if (n < 10_000) return Math.round(n).toLocaleString('en-US');
  if (n < 1_000_000) return `${trim(n / 1000)}${NBSP}k`;
  if (n < 1_000_000_000) return `${trim(n / 1_000_000)}${NBSP}M`;
  return `${trim(n / 1_000_000_000)}${NBSP}G`;
}

/** Occurrences per second in the unit that gives a readable figure: `118/s`, `0.4/s`, `12/min`, `3/h`. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return '–';
  if (perSecond === 0) return '0/s';
  if (perSecond >= 10_000) return `${count(perSecond)}/s`;
  if (perSecond >= 10) return `${Math.round(perSecond).toLocaleString('en-US')}/s`;
  if (perSecond >= 0.1) return `${trim(perSecond)}/s`;
  const perMinute = perSecond * 60;
  if (perMinute >= 0.95) return `${trim(perMinute)}/min`;
  const perHour = perSecond * 3600;
  return perHour >= 0.95 ? `${trim(perHour)}/h` : '<1/h';
}

/** The same in words, for names read aloud. */
export function rateInWords(perSecond: number | null): string {
  if (perSecond === null) return 'rate unknown';
  return rate(perSecond).replace('/s', ' per second').replace('/min', ' per minute').replace('/h', ' per hour').replace('<', 'less than ');
}

/** A share in percent, one decimal: `31.4 %`; a share that is not nothing is never shown as 0.0. */
export function percent(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return `0.0${NBSP}%`;
  const value = (100 * part) / whole;
  if (value < 0.05) return `<0.1${NBSP}%`;
  return `${value >= 99.95 ? '100' : value.toFixed(1)}${NBSP}%`;
}

/** A duration given in milliseconds: `0.8 ms`, `296 ms`, `1.24 s`, `2 min 5 s`, `3 h 2 min`. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 0.1) return ms <= 0 ? `0${NBSP}ms` : `${Math.max(1, Math.round(ms * 1000))}${NBSP}µs`;
  if (ms < 10) return `${trim(ms)}${NBSP}ms`;
  if (ms < 999.5) return `${Math.round(ms)}${NBSP}ms`;
  if (ms < 9_995) return `${trim(ms / 1000, 2)}${NBSP}s`;
  if (ms < 59_950) return `${trim(ms / 1000)}${NBSP}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), 'h', Math.round((seconds % 3600) / 60), 'min');
  return pair(Math.floor(seconds / 86_400), 'd', Math.round((seconds % 86_400) / 3600), 'h');
}

/** Bytes: `812 B`, `1.2 KB`, `48 MB` (steps of 1000). */
export function bytes(n: number): string {
  if (n < 1000) return `${n}${NBSP}B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = n / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${trim(value)}${NBSP}${units[unit]}`;
}

/** How long ago: `just now`, `4 min ago`. */
export function ago(at: number, nowAt: number): string {
  const ms = nowAt - at;
  return ms < 2000 ? 'just now' : `${duration(ms).split(' ')[0]} ago`;
}

/** Shortens in the middle, keeping the end that tells siblings apart: `web-ord…exp-api`. */
export function middleEllipsis(text: string, most: number): string {
  if (text.length <= most || most < 5) return text;
  const tail = Math.ceil((most - 1) * 0.55);
  return `${text.slice(0, most - 1 - tail)}…${text.slice(-tail)}`;
}

/** `1 file`, `2 files`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

function trim(value: number, digits = 1): string {
  return value >= 100 ? Math.round(value).toString() : value.toFixed(digits).replace(/\.?0+$/, '');
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${NBSP}${bigUnit}` : `${big}${NBSP}${bigUnit} ${small}${NBSP}${smallUnit}`;
}
