import { isAlias, isMap, isScalar, isSeq, parseDocument, stringify, type Document, type Pair, type YAMLMap } from 'yaml';

/** Keys and positions from the root of a document. */
export type Path = readonly string[];
/** What may stand at a place. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/**
 * Sets what stands at a path and leaves every other letter of the text as it is: comments, order, alignment. Maps on the way that are
 * missing are made. Null where that cannot be done (the text is no YAML, an alias is in the way): then people edit the text.
 */
export function setAt(text: string, path: Path, value: Value): string | null {
  const document = parsed(text);
  if (document === null) return null;
  // As far down as the document goes.
  let depth = path.length;
  while (depth > 0 && !document.hasIn(path.slice(0, depth))) depth -= 1;
  const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
  const rest = path.slice(depth);
  if (isAlias(node) || throughAlias(document, path.slice(0, depth))) return null;
  if (rest.length === 0) return replaced(text, document, path, node, value);
  const [key, ...below] = rest as [string, ...string[]];
  const inner = below.reduceRight<Value>((made, name) => ({ [name]: made }), value);
  if (isMap(node)) return inserted(text, node, key, inner);
  // `api-led:` with nothing behind it becomes a map.
  if (isScalar(node) && node.value === null) return replaced(text, document, path.slice(0, depth), node, { [key]: inner });
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
  if (parent.flow && range !== null) {
    const next = rangeOf(parent.items[at + 1]);
    const before = rangeOf(parent.items[at - 1]);
    if (next) return text.slice(0, range[0]) + text.slice(next[0]);
    if (before) return text.slice(0, before[1]) + text.slice(range[1]);
    return `${text.slice(0, parent.range![0])}{}${text.slice(parent.range![1])}`;
  }
  if (range !== null && parent.items.length > 1) {
    // Whole lines, up to where the next line begins.
    const start = text.lastIndexOf('\n', range[0] - 1) + 1;
    const end = text.indexOf('\n', range[1]);
    return text.slice(0, start) + (end < 0 ? '' : text.slice(end + 1));
  }
  document.deleteIn(path);
  return document.toString({ lineWidth: 0 });
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

/** Where a pair stands: from its key to the end of its value, without what follows on the line. */
function rangeOf(pair: Pair | undefined): [number, number] | null {
  const key = pair?.key as { range?: [number, number, number] } | undefined;
  const value = pair?.value as { range?: [number, number, number] } | null | undefined;
  if (!key?.range) return null;
  return [key.range[0], value?.range ? Math.max(value.range[1], key.range[1]) : key.range[1]];
}

function written(value: Value): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}

function replaced(text: string, document: Document.Parsed, path: Path, node: unknown, value: Value): string | null {
  const range = (node as { range?: [number, number, number] } | null)?.range;
  const flow = isScalar(node) || ((isMap(node) || isSeq(node)) && node.flow);
  if (range && flow) {
    const empty = range[0] === range[1];
    return `${text.slice(0, range[0])}${empty && text[range[0] - 1] === ':' ? ' ' : ''}${written(value)}${text.slice(range[1])}`;
  }
  if (path.length === 0) return null;
  const copy = document.clone() as Document.Parsed;
  copy.setIn(path, copy.createNode(value));
  return copy.toString({ lineWidth: 0 });
}

/** A new pair at the end of a map. */
function inserted(text: string, map: YAMLMap, key: string, value: Value): string | null {
  const pair = `${written(key)}: ${written(value)}`;
  const range = map.range as [number, number, number] | undefined;
  if (!range) return null;
  const lastRange = rangeOf(map.items.at(-1));
  if (map.flow) {
    if (lastRange === null) return `${text.slice(0, range[0])}{ ${pair} }${text.slice(range[1])}`;
    return `${text.slice(0, lastRange[1])}, ${pair}${text.slice(lastRange[1])}`;
  }
  const first = rangeOf(map.items[0]);
  if (first === null || lastRange === null) return null;
  const indent = first[0] - (text.lastIndexOf('\n', first[0] - 1) + 1);
  const end = text.indexOf('\n', Math.max(lastRange[1] - 1, 0));
  const at = end < 0 ? text.length : end;
  return `${text.slice(0, at)}\n${' '.repeat(indent)}${pair}${text.slice(at)}`;
}
