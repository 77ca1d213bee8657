import type { Item, LogRow } from '../../lib/bindings';

/** Part of a journey: what the caller waits for, what follows from messages, and repeated deliveries. */
export type Part = 'sync' | 'event' | 'redelivery';

/** A row of the waterfall. */
export interface Row {
  /** `item`: a span; `band`: an event with its consumers; `missing`: a parent that never arrived; `dead`: the end of a dead-lettered event; `log`: a line that the span above it wrote. */
  kind: 'item' | 'band' | 'missing' | 'dead' | 'log';
  /** Unique in the journey; the item's `uid` for items. */
  key: string;
  /** The span or event; for `missing` its child, for `dead` the event. */
  item: Item;
  /** Depth as drawn, from 0 in each part. */
  depth: number;
  part: Part;
  /** Whether a line continues below at each depth left of the row's own. */
  guides: boolean[];
  /** Last of its siblings. */
  last: boolean;
  /** Has rows below it, shown or not. */
  branch: boolean;
  collapsed: boolean;
  /** Time from send to answer as the caller saw it, when its own row is folded into this one. */
  outer: { startAt: number; endAt: number } | null;
  /** For bands: services that handled it. */
  consumers: number;
  /** Instant of a `dead` or `log` row. */
  at: number;
  /** The line of a `log` row. */
  log: LogRow | null;
}

/** What is folded and collapsed. */
export interface TreeOptions {
  /** Uids whose descendants are hidden. */
  collapsed: ReadonlySet<string>;
  /** Show every span. */
  unfolded: boolean;
  /** Never folded: the first failure and what is selected. */
  keep: ReadonlySet<string>;
  /** Parents named but not received. */
  missing: number;
  /** The topmost span's own parent is among them. */
  entryMissing: boolean;
}

/** Rows and how many spans are not among them because they are folded. */
export interface Tree {
  rows: Row[];
  foldedInternal: number;
  foldedClient: number;
}

/** From this many items on, internal spans are folded. */
const FOLD_FROM = 40;

/** Rows in the order they are drawn: the synchronous tree first, then every event with what follows from it. */
export function buildTree(items: Item[], options: TreeOptions): Tree {
  return new Builder(items, options).build();
}

/** Where a wait-free part begins: an event and what handled it, or what a send led to. */
interface Group {
  key: string;
  startAt: number;
  band: Item | null;
  heads: Item[];
}

class Builder {
  #items: Item[];
  #options: TreeOptions;
  #byUid: Map<string, Item>;
  #children = new Map<string, Item[]>();
  #outer = new Map<string, Item>();
  /** Groups that were found and do not wait yet, and those that a send led to. */
  #groups: Group[] = [];
  #after = new Map<string, Group>();
  #rows: Row[] = [];
  #missing: number;
  #redelivery: boolean = false;
  #seen = new Set<string>();
  foldedInternal = 0;
  foldedClient = 0;

  constructor(items: Item[], options: TreeOptions) {
    this.#items = items;
    this.#options = options;
    this.#missing = options.missing;
    this.#byUid = new Map(items.map((item) => [item.uid, item]));
  }

  build(): Tree {
    const folded = this.#fold();
    const roots: Item[] = [];
    for (const item of this.#items) {
      if (folded.has(item.uid)) continue;
      const parent = this.#visibleParent(item, folded);
      if (!parent) roots.push(item);
      else append(this.#children, parent.uid, item);
    }
    const heads = roots.filter((item) => !this.#leadsOwnPart(item, null));
    for (const item of roots) if (this.#leadsOwnPart(item, null)) this.#addGroup(item, null);
    heads.forEach((item, i) => this.#root(item, i === 0));
    this.#drainGroups();
    return { rows: this.#rows, foldedInternal: this.foldedInternal, foldedClient: this.foldedClient };
  }

  /** Internal spans of long journeys, and callers' halves of calls whose other half is there. */
  #fold(): Set<string> {
    const folded = new Set<string>();
    if (this.#options.unfolded) return folded;
    const childrenOf = new Map<string, Item[]>();
    for (const item of this.#items) if (item.parent) append(childrenOf, item.parent, item);
    const many = this.#items.length > FOLD_FROM;
    for (const item of this.#items) {
      if (this.#options.keep.has(item.uid) || item.type !== 'span') continue;
      if (many && item.role === 'internal' && item.status !== 'error' && item.parent !== null) {
        folded.add(item.uid);
        this.foldedInternal += 1;
      } else if (item.role === 'client') {
        const callee = calleeOf(item, childrenOf.get(item.uid) ?? []);
        if (!callee) continue;
        folded.add(item.uid);
        this.#outer.set(callee.uid, item);
        this.foldedClient += 1;
      }
    }
    return folded;
  }

  #visibleParent(item: Item, folded: Set<string>): Item | null {
    let at = item.parent;
    for (let steps = 0; at !== null && steps < this.#items.length; steps += 1) {
      const parent = this.#byUid.get(at);
      if (!parent) return null;
      if (!folded.has(at)) return parent;
      at = parent.parent;
    }
    return null;
  }

  #leadsOwnPart(item: Item, parent: Item | null): boolean {
    if (item.type === 'event') return true;
    return !item.synchronous && (parent === null || parent.synchronous || parent.role === 'producer');
  }

  /** A part of its own: an event with its consumers, or what a send without a known event led to. */
  #addGroup(item: Item, parent: Item | null): void {
    if (item.type === 'event') {
      this.#groups.push({ key: item.uid, startAt: item.startAt, band: item, heads: this.#children.get(item.uid) ?? [] });
      return;
    }
    const key = `after:${parent?.uid ?? item.uid}`;
    const known = this.#after.get(key);
    if (known) return void known.heads.push(item);
    const group: Group = { key, startAt: item.startAt, band: parent?.role === 'producer' ? parent : null, heads: [item] };
    this.#after.set(key, group);
    this.#groups.push(group);
  }

  /** Group by group as they begin; what a group leads to joins those that wait. */
  #drainGroups(): void {
    for (let waiting = this.#takeGroups([]); waiting.length > 0; waiting = this.#takeGroups(waiting)) {
      const group = waiting.pop();
      if (group) this.#group(group);
    }
  }

  /** Groups that wait, the first to begin last. Sorted anew only when some came in addition. */
  #takeGroups(waiting: Group[]): Group[] {
    if (this.#groups.length === 0) return waiting;
    const all = [...waiting, ...this.#groups.reverse()];
    this.#groups = [];
    return all.sort((a, b) => b.startAt - a.startAt);
  }

  #group(group: Group): void {
    const heads = [...group.heads].sort((a, b) => a.startAt - b.startAt);
    const spans = heads.filter((item) => item.type === 'span');
    const key = group.band ? (group.band.type === 'event' ? group.band.uid : `band:${group.key}`) : '';
    const collapsed = this.#options.collapsed.has(key);
    this.#redelivery = false;
    if (group.band) {
      const consumers = new Set(spans.map((item) => item.participant)).size;
      this.#push({ ...plain('band', key, group.band, 'event'), branch: spans.length > 0, collapsed, consumers });
    }
    if (!collapsed) {
      for (const item of heads) {
        if (item.type === 'event') this.#addGroup(item, group.band);
        else {
          this.#redelivery = (item.delivery ?? 1) > 1;
          this.#walk(item, 0, [], true);
        }
      }
    }
    this.#redelivery = false;
    if (group.band?.badge === 'dead-lettered') {
      const end = spans.reduce((last, item) => Math.max(last, item.startAt + item.durationMs), group.band.startAt);
      const again = spans.some((item) => (item.delivery ?? 1) > 1);
      this.#push({ ...plain('dead', `dead:${key}`, group.band, again ? 'redelivery' : 'event'), at: end });
    }
  }

  #root(item: Item, first: boolean): void {
    const orphan = this.#missing > 0 && item.parent === null && (first ? this.#options.entryMissing : item.role !== 'internal');
    if (orphan) {
      this.#missing -= 1;
      this.#push({ ...plain('missing', `missing:${item.uid}`, item, this.#partOf(item)), branch: true });
    }
    this.#walk(item, orphan ? 1 : 0, orphan ? [false] : [], true);
  }

  #walk(item: Item, depth: number, guides: boolean[], last: boolean): void {
    if (this.#seen.has(item.uid)) return;
    this.#seen.add(item.uid);
    const all = this.#children.get(item.uid) ?? [];
    const own = all.filter((child) => !this.#leadsOwnPart(child, item));
    if (own.length < all.length) for (const child of all) if (this.#leadsOwnPart(child, item)) this.#addGroup(child, item);
    const collapsed = own.length > 0 && this.#options.collapsed.has(item.uid);
    const half = this.#outer.get(item.uid);
    const outer = half ? { startAt: half.startAt, endAt: half.startAt + half.durationMs } : null;
    const shown = half && item.retry === null && half.retry !== null ? { ...item, retry: half.retry } : item;
    this.#push({ ...plain('item', item.uid, shown, this.#partOf(item)), depth, guides, last, branch: own.length > 0, collapsed, outer });
    if (collapsed) {
      this.#skip(own);
      return;
    }
    own.forEach((child, i) => this.#walk(child, depth + 1, [...guides, !last], i === own.length - 1));
  }

  /** Below a collapsed row nothing is drawn, but events published there still have their part. */
  #skip(items: Item[]): void {
    for (const item of items) {
      if (this.#seen.has(item.uid)) continue;
      this.#seen.add(item.uid);
      const all = this.#children.get(item.uid) ?? [];
      for (const child of all) if (this.#leadsOwnPart(child, item)) this.#addGroup(child, item);
      this.#skip(all.filter((child) => !this.#leadsOwnPart(child, item)));
    }
  }

  #partOf(item: Item): Part {
    if (this.#redelivery) return 'redelivery';
    return item.synchronous ? 'sync' : 'event';
  }

  #push(row: Row): void {
    this.#rows.push(row);
  }
}

function append(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** The answering half of a call, when it alone hangs below the calling half and tells at least as much. */
function calleeOf(caller: Item, children: Item[]): Item | null {
  const [callee] = children;
  if (children.length !== 1 || !callee || callee.role !== 'server' || callee.participant === caller.participant) return null;
  return caller.status === 'error' && callee.status !== 'error' ? null : callee;
}

function plain(kind: Row['kind'], key: string, item: Item, part: Part): Row {
  return { kind, key, item, depth: 0, part, guides: [], last: true, branch: false, collapsed: false, outer: null, consumers: 0, at: item.startAt, log: null };
}

/** Rows with log lines below the spans that wrote them, by time. */
export function withLogs(rows: Row[], logs: readonly LogRow[]): Row[] {
  if (logs.length === 0) return rows;
  const bySpan = new Map<string, LogRow[]>();
  for (const log of logs) {
    const key = `${log.traceId}:${log.spanId}`;
    const list = bySpan.get(key);
    if (list) list.push(log);
    else bySpan.set(key, [log]);
  }
  return rows.flatMap((row) => {
    const own = row.kind === 'item' ? bySpan.get(`${row.item.traceId}:${row.item.id}`) : undefined;
    if (!own) return [row];
    bySpan.delete(`${row.item.traceId}:${row.item.id}`);
    const lines = [...own].sort((a, b) => a.at - b.at).map((log): Row => ({ ...plain('log', `log:${log.id}`, row.item, row.part), depth: row.depth + 1, guides: [...row.guides, false], at: log.at, log }));
    return [row, ...lines];
  });
}

/** What a row repeats of those above it: whether its service is that of the row it hangs below, and the event it is a delivery of. One walk for all rows. */
export function repeated(rows: Row[]): { same: boolean; topic: string | null }[] {
  const above: Row[] = [];
  let band: string | null = null;
  return rows.map((row) => {
    if (row.kind === 'band') band = row.item.name;
    const parent = row.depth > 0 ? above[row.depth - 1] : undefined;
    above.length = row.depth;
    if (row.kind !== 'log') above[row.depth] = row;
    return { same: parent?.kind === 'item' && parent.item.participant === row.item.participant, topic: row.part === 'sync' || row.depth > 0 || row.kind === 'band' ? null : band };
  });
}

/** The next or previous row in error, around the end. */
export function nextError(rows: Row[], from: string | null, step: 1 | -1): Row | null {
  const at = rows.findIndex((row) => row.key === from);
  for (let i = 1; i <= rows.length; i += 1) {
    const start = at < 0 && step < 0 ? 0 : at;
    const row = rows[(((start + step * i) % rows.length) + rows.length) % rows.length];
    if (row && row.kind !== 'missing' && row.kind !== 'log' && row.item.status === 'error') return row;
  }
  return null;
}
