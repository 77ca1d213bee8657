import type { SettingsView } from '../../lib/bindings';
import type { Lists } from './settings.svelte';

/** A row of a rule table: texts by column. */
export type Row = Record<string, string>;

/** The lists a change names, as they were before it: what brings them back. Built-in lists are asked for by their absence. */
export function asShown(view: SettingsView, lists: Lists): Lists {
  const out: Lists = {};
  if (lists.layers) out.layers = view.layers;
  if (lists.patterns) out.patterns = view.patternsBuiltIn ? [] : view.patterns;
  if (lists.domains) out.domains = view.domains;
  if (lists.aliases) out.aliases = view.aliases;
  if (lists.owners) out.owners = view.owners;
  if (lists.businessKeys) out.businessKeys = view.businessKeys;
  if (lists.noise) out.noise = view.noiseBuiltIn ? view.defaultNoise : view.noise.map((rule) => rule.pattern);
  if (lists.redaction) out.redaction = view.redactionBuiltIn ? [] : view.redaction;
  if (lists.links) out.links = view.links;
  if (lists.protobuf) out.protobuf = view.protobuf;
  if (lists.traceStores) out.traceStores = view.traceStores;
  if (lists.retention) out.retention = view.retention;
  return out;
}

/** A list with one row moved up or down. */
export function moved<T>(rows: T[], index: number, by: 1 | -1): T[] {
  const next = [...rows];
  const [from, other] = [next[index], next[index + by]];
  if (from === undefined || other === undefined) return rows;
  next[index + by] = from;
  next[index] = other;
  return next;
}

/** A list with one row in place of another; at the end where there is none. */
export function placed<T>(rows: T[], index: number, row: T): T[] {
  return index < rows.length ? rows.map((known, i) => (i === index ? row : known)) : [...rows, row];
}

/** Why a row cannot be saved, or null: a column that must say something is empty, or another row is for the same name. */
export function rowProblem(rows: Row[], index: number, row: Row, columns: { key: string; label: string; optional?: boolean }[]): string | null {
  const missing = columns.find((column) => !column.optional && (row[column.key] ?? '').trim() === '');
  if (missing) return `${missing.label} is missing.`;
  const key = columns[0]?.key ?? '';
  const name = (row[key] ?? '').trim();
  return rows.some((known, i) => i !== index && known[key] === name) ? `${name} is in the list already.` : null;
}

/** "3 participants: a, b, c", "no participant", with what was not listed counted. */
export function meaning(count: number, names: string[], one: string, many: string): string {
  if (count === 0) return `no ${one} so far`;
  const rest = count - names.length;
  return `${count} ${count === 1 ? one : many}: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
