import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { blockOf, flowOf, indented } from './written';

/** Keys and positions from the root of a document. */
export type Path = readonly string[];
/** What may stand at a place. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
/** How a kind of file is written: with maps on lines of their own, and keys in an order that depends on where they stand. */
export interface Sorted {
  compare: (path: Path) => (a: string, b: string) => number;
}

/**
 * Sets what stands at a path and leaves every other letter of the text as it is: comments, order, alignment. Maps on the way that are
 * missing are made; with `sorted`, at their place in the order and on lines of their own, else at the end and in one line. Null where
 * that cannot be done (the text is no YAML, an alias is in the way): then people edit the text.
 */
export function setAt(text: string, path: Path, value: Value, sorted?: Sorted): string | null {
  const document = parsed(text);
  if (document === null) return null;
  // As far down as the document goes.
  let depth = path.length;
  while (depth > 0 && !document.hasIn(path.slice(0, depth))) depth -= 1;
  const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
  const rest = path.slice(depth);
  if (isAlias(node) || throughAlias(document, path.slice(0, depth))) return null;
  if (rest.length === 0) return replaced(text, document, path, node, value, sorted);
  const [key, ...below] = rest as [string, ...string[]];
  const inner = below.reduceRight<Value>((made, name) => ({ [name]: made }), value);
  if (isMap(node)) return inserted(text, node, path.slice(0, depth), key, inner, sorted);
  // `api-led:` with nothing behind it becomes a map.
  if (isScalar(node) && node.value === null) return replaced(text, document, path.slice(0, depth), node, { [key]: inner }, sorted);
  return null;
}

/** Takes away what stands at a path; a map that is left empty stays as `{}`. Null where that cannot be done. */
export function removeAt(text: string, path: Path): string | null {
  const document = parsed(text);
  if (document === null) return null;
  if (!document.hasIn(path)) return text;
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent) || throughAlias(document, path.slice(0, -1))) return null;
  const at = parent.items.findIndex((pair) => keyOf(pair) === path.at(-1));
  const range = rangeOf(parent.items[at]);
  if (range === null) return null;
  if (parent.flow) {
    const next = rangeOf(parent.items[at + 1]);
    const before = rangeOf(parent.items[at - 1]);
    if (next) return text.slice(0, range[0]) + text.slice(next[0]);
    if (before) return text.slice(0, before[1]) + text.slice(range[1]);
    return `${text.slice(0, parent.range![0])}{}${text.slice(parent.range![1])}`;
  }
  // Whole lines, up to where the next line begins.
  const [start, end] = [lineStart(text, range[0]), nextLine(text, range[1])];
  if (parent.items.length > 1) return text.slice(0, start) + text.slice(end);
  const outer: unknown = path.length < 2 ? null : path.length === 2 ? document.contents : document.getIn(path.slice(0, -2), true);
  const name = isMap(outer) ? outer.items.find((pair) => keyOf(pair) === path.at(-2))?.key : null;
  const colon = isScalar(name) && name.range ? text.indexOf(':', name.range[1]) : -1;
  if (colon < 0) return null;
  return `${text.slice(0, colon + 1)} {}${text.slice(colon + 1, start)}${text.slice(end)}`;
}

/** Gives a key of a map another name. Null where that cannot be done, or the name is taken. */
export function renameAt(text: string, path: Path, name: string): string | null {
  const document = parsed(text);
  const parent: unknown = path.length === 1 ? document?.contents : document?.getIn(path.slice(0, -1), true);
  if (!document || !isMap(parent) || parent.has(name) || throughAlias(document, path.slice(0, -1))) return null;
  const key = parent.items.find((pair) => keyOf(pair) === path.at(-1))?.key;
  if (!isScalar(key) || !key.range) return null;
  return text.slice(0, key.range[0]) + flowOf(name) + text.slice(key.range[1]);
}

/** Line, from 1, on which the key at a path stands; null where it does not. */
export function lineOf(text: string, path: Path): number | null {
  const document = parsed(text);
  const parent: unknown = path.length === 1 ? document?.contents : document?.getIn(path.slice(0, -1), true);
  const key = isMap(parent) ? parent.items.find((pair) => keyOf(pair) === path.at(-1))?.key : null;
  return isScalar(key) && key.range ? text.slice(0, key.range[0]).split('\n').length : null;
}

/** What stands at a path, as plain data; undefined where nothing does. */
export function valueAt(text: string, path: Path): unknown {
  const document = parsed(text);
  const node: unknown = document?.getIn(path, true);
  if (node === undefined || node === null) return undefined;
  return isScalar(node) ? node.value : isMap(node) || isSeq(node) ? node.toJSON() : undefined;
}

/** Keys of the map at a path. */
export function keysAt(text: string, path: Path): string[] {
  const node: unknown = parsed(text)?.getIn(path, true);
  return isMap(node) ? node.items.map((pair) => keyOf(pair)) : [];
}

let last: { text: string; document: Document.Parsed } | null = null;

function parsed(text: string): Document.Parsed | null {
  // A document that was changed in place must not be met again: `removeAt` does that last of all.
  if (last?.text !== text) last = { text, document: parseDocument(text) };
  const { document } = last;
  return document.errors.length > 0 ? null : document;
}

function throughAlias(document: Document.Parsed, path: Path): boolean {
  return path.some((_, i) => isAlias(document.getIn(path.slice(0, i + 1), true)));
}

function keyOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

/** Where a pair stands: from its key to the end of its value, without what follows. */
function rangeOf(pair: Pair | undefined): [number, number] | null {
  const key = pair?.key as { range?: [number, number, number] } | undefined;
  const value = pair?.value as { range?: [number, number, number] } | null | undefined;
  if (!key?.range) return null;
  return [key.range[0], value?.range ? Math.max(value.range[1], key.range[1]) : key.range[1]];
}

const lineStart = (text: string, at: number) => text.lastIndexOf('\n', at - 1) + 1;

/** Where the line ends on which what ends at `at` has its last letter: maps on lines of their own end behind a line break. */
function lineEnd(text: string, at: number): number {
  let last = at;
  while (last > 0 && /\s/.test(text[last - 1]!)) last -= 1;
  const end = text.indexOf('\n', last);
  return end < 0 ? text.length : end;
}

const nextLine = (text: string, at: number) => Math.min(text.length, lineEnd(text, at) + 1);

/** Where the comments begin that stand right above a line, at its indentation. */
function aboveComments(text: string, line: number, indent: number): number {
  let at = line;
  while (at > 0) {
    const above = lineStart(text, at - 1);
    if (text.slice(above, at).search(/\S/) !== indent || text[above + indent] !== '#') return at;
    at = above;
  }
  return at;
}

/** Spaces before the first letter of the line. */
function indentOf(text: string, at: number): number {
  return /^ */.exec(text.slice(lineStart(text, at)))![0].length;
}

function replaced(text: string, document: Document.Parsed, path: Path, node: unknown, value: Value, sorted?: Sorted): string | null {
  const range = (node as { range?: [number, number, number] } | null)?.range;
  const flow = isScalar(node) || ((isMap(node) || isSeq(node)) && node.flow);
  if (range && flow) {
    const empty = range[0] === range[1];
    const lines = sorted && isFilled(value) && path.length > 0 && text[range[0] - 1] !== '[' ? blockOf(value, indentOf(text, range[0]) + 2) : null;
    if (lines !== null) return `${text.slice(0, range[0]).replace(/ +$/, '')}\n${lines}${text.slice(range[1])}`;
    return `${text.slice(0, range[0])}${empty && text[range[0] - 1] === ':' ? ' ' : ''}${flowOf(value)}${text.slice(range[1])}`;
  }
  if (path.length === 0) return null;
  if (isSeq(node) && range && Array.isArray(value) && value.length > 0) return respliced(text, node, value);
  const copy = document.clone() as Document.Parsed;
  copy.setIn(path, copy.createNode(value));
  return copy.toString({ lineWidth: 0 });
}

function isFilled(value: Value): value is { [key: string]: Value } {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;
}

/** The same text for the same value, in whatever order its keys stand. */
function sameOf(value: unknown): string {
  const isMap = (one: unknown): one is Record<string, unknown> => one !== null && typeof one === 'object' && !Array.isArray(one);
  return JSON.stringify(value, (_, one: unknown) => (isMap(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));
}

/** A list on lines of its own: items that stay keep their text, new ones come behind the one they follow. */
function respliced(text: string, list: YAMLSeq, value: Value[]): string | null {
  const ranges = list.items.map((item) => (item as { range?: [number, number, number] } | null)?.range);
  if (ranges.some((range) => !range)) return null;
  const indent = list.range![0] - lineStart(text, list.range![0]);
  const before = lineStart(text, list.range![0]);
  const after = nextLine(text, list.range![1]);
  // Each item with the comments above it.
  const ends = ranges.map((range) => nextLine(text, range![1]));
  const parts = ends.map((end, i) => text.slice(i === 0 ? before : ends[i - 1], end));
  const known = new Map<string, string[]>();
  list.items.forEach((item, i) => {
    const name = sameOf((item as { toJSON: () => unknown }).toJSON());
    known.set(name, [...(known.get(name) ?? []), parts[i]!]);
  });
  const lines = value.map((item) => known.get(sameOf(item))?.shift() ?? `${' '.repeat(indent)}- ${blockOf(item, indent + 2).trimStart()}\n`);
  return text.slice(0, before) + lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`)).join('') + text.slice(after);
}

/** A new pair of a map: at its place where there is an order, else at the end. */
function inserted(text: string, map: YAMLMap, path: Path, key: string, value: Value, sorted?: Sorted): string | null {
  const range = map.range as [number, number, number] | undefined;
  if (!range) return null;
  const compare = sorted?.compare(path);
  const follows = compare ? map.items.findIndex((pair) => compare(keyOf(pair), key) > 0) : -1;
  const next = follows < 0 ? null : rangeOf(map.items[follows]);
  const lastRange = rangeOf(map.items.at(-1));
  if (map.flow) {
    const pair = `${flowOf(key)}: ${flowOf(value)}`;
    if (lastRange === null && sorted && path.length > 0) {
      const lines = blockOf({ [key]: value }, indentOf(text, range[0]) + 2);
      return `${text.slice(0, range[0]).replace(/ +$/, '')}\n${lines}${text.slice(range[1])}`;
    }
    if (lastRange === null) return `${text.slice(0, range[0])}{ ${pair} }${text.slice(range[1])}`;
    if (next) return `${text.slice(0, next[0])}${pair}, ${text.slice(next[0])}`;
    return `${text.slice(0, lastRange[1])}, ${pair}${text.slice(lastRange[1])}`;
  }
  const first = rangeOf(map.items[0]);
  if (first === null || lastRange === null) return null;
  const indent = first[0] - lineStart(text, first[0]);
  const lines = sorted ? blockOf({ [key]: value }, indent) : `${' '.repeat(indent)}${flowOf(key)}: ${flowOf(value)}`;
  if (next) {
    // Comments above a pair are about it: the new one comes before them.
    const ahead = follows === 0 ? aboveComments(text, lineStart(text, next[0]), indent) : nextLine(text, rangeOf(map.items[follows - 1])![1]);
    // The first pair may stand beside the dash of a list.
    if (text.slice(lineStart(text, next[0]), next[0]).trim() !== '') return `${text.slice(0, next[0])}${indented(lines, indent)}\n${' '.repeat(indent)}${text.slice(next[0])}`;
    return `${text.slice(0, ahead)}${lines}\n${text.slice(ahead)}`;
  }
  const end = lineEnd(text, lastRange[1]);
  return `${text.slice(0, end)}\n${lines}${text.slice(end)}`;
}
