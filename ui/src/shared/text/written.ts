import { stringify } from 'yaml';
import type { Value } from './yaml';

/** A value in one line, as it may stand anywhere. */
export function flowOf(value: Value): string {
  if (typeof value === 'string') return textOf(value);
  if (Array.isArray(value)) return `[${value.map(flowOf).join(', ')}]`;
  if (value === null || typeof value !== 'object') return stringify(value).trim();
  const pairs = Object.entries(value).map(([key, inner]) => `${textOf(key)}: ${flowOf(inner)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** A value with its maps, and lists of maps, on lines of their own, indented by so many spaces. */
export function blockOf(value: Value, indent: number): string {
  const space = ' '.repeat(indent);
  if (Array.isArray(value) && value.length > 0) return value.map((item) => `${space}- ${indented(blockOf(item, indent + 2), indent + 2)}`).join('\n');
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length === 0) return space + flowOf(value);
  return Object.entries(value).map(([key, inner]) => `${space}${textOf(key)}:${isInLine(inner) ? ` ${flowOf(inner)}` : `\n${blockOf(inner, indent + 2)}`}`).join('\n');
}

/** The same without the spaces before its first line. */
export function indented(lines: string, indent: number): string {
  return lines.slice(Math.min(indent, /^ */.exec(lines)![0].length));
}

function isInLine(value: Value): boolean {
  if (value === null || typeof value !== 'object') return true;
  return Array.isArray(value) ? value.every((item) => item === null || typeof item !== 'object') : Object.keys(value).length === 0;
}

const PLAIN = /^[A-Za-z/_][A-Za-z0-9 \-_./()+;]*$/;
const WORDS = new Set(['null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n']);
/** `8ms`, `90s`, `132/s`, `2%`: begins with a digit and can be taken for nothing else. */
const FIGURE = /^\d+(\.\d+)?(us|µs|ms|s|m|min|h|kb|mb|%|\/s|\/min|\/h)$/i;

/** A text: plain where nobody can take it for anything else. The same as `crates/design/src/yaml.rs` writes. */
function textOf(text: string): string {
  const plain = (PLAIN.test(text) && !text.endsWith(' ') && !WORDS.has(text.toLowerCase())) || FIGURE.test(text);
  return plain ? text : JSON.stringify(text);
}
