import { untrack } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { backend } from '../../lib/backend';
import type { Item, JourneyView, LogRow } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { windowLayout } from '../../shared/state/layout.svelte';
import { notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import type { Bar } from './scale';
import { buildTree, nextError, type Row, type Tree } from './tree';

const NOTHING: Tree = { rows: [], foldedInternal: 0, foldedClient: 0 };
/** Streams are asked for by event; more than these would only be decoration. */
const STREAMS_ASKED = 8;
/** Log lines and traces asked for at once. */
const LOGS_ASKED = 500;
const TRACES_ASKED = 50;
/** How long after its last effect a journey may still change. */
const SETTLES_MS = 120_000;

/** The open journey: its rows, what is selected, folded and collapsed. */
export class OpenJourney {
  query = new Query('journey');
  collapsed = new SvelteSet<string>();
  unfolded = $state(false);
  /** Stream of an event, by its row. */
  streams = $state.raw<Record<number, string>>({});
  /** Log lines shown in place; null while they are not wanted. */
  logs = $state.raw<LogRow[] | null>(null);
  /** Whether what is only guessed to belong is shown. */
  guesses = $state(true);
  /** What is looked for in this journey. */
  search = $state('');
  #id = $state<string | null>(null);

  /** The newest answer; another journey's stays while this one loads, but not when it cannot be had. */
  view = $derived<JourneyView | null>(this.query.error !== null && !this.#isOpen(this.query.data) ? null : this.query.data);
  selected = $derived<Item | null>(this.view ? choose(this.view, route.param('span')) : null);

  /** Items that the search finds, in the order drawn when nothing is folded. */
  hits = $derived(matching(this.view?.items ?? [], this.search));
  found = $derived(new Set(this.hits.map((item) => item.uid)));

  /** The selected one where folding could hide it; others do not change the rows. */
  #kept = $derived(this.selected?.role === 'client' || this.selected?.role === 'internal' ? this.selected.uid : '');

  tree = $derived<Tree>(this.view ? this.#build(this.view) : NOTHING);
  /** What the time axis is made of: every span and event, whatever is folded. */
  bars = $derived<Bar[]>(this.view ? barsOf(this.view) : []);

  #build(view: JourneyView): Tree {
    const keep = new Set([view.failure?.first ?? '', this.#kept]);
    const entryMissing = view.missing > 0 && view.row.responseMs === null;
    return buildTree(view.items, { collapsed: this.collapsed, unfolded: this.unfolded, keep, missing: view.missing, entryMissing });
  }

  /** Loads what the address names; call inside of a component's initialisation. */
  follow(fallback: () => string | null): void {
    $effect(() => {
      const id = route.param('id') ?? fallback();
      void time.beat;
      untrack(() => this.#load(id));
    });
    $effect(() => app.listen((update) => update.type === 'joined' && this.retry()));
    $effect(() => {
      const view = this.view;
      if (view) untrack(() => void this.#askStreams(view));
    });
  }

  retry(): void {
    if (this.#id) void this.query.load({ id: this.#id, guesses: this.guesses }, { replace: true });
  }

  /** Shows or hides what is only guessed to belong. */
  showGuesses(shown: boolean): void {
    this.guesses = shown;
    this.retry();
  }

  /** Selects an item and remembers it in the address. */
  select(item: Item): void {
    windowLayout.inspector = true;
    const same = this.view?.items.filter((other) => other.id === item.id).length ?? 0;
    route.set({ id: this.#id, span: item.type === 'event' || same > 1 ? item.uid : item.id });
  }

  /** Goes to the first failure, opening what hides it. */
  goToFailure(): void {
    const item = this.view?.items.find((candidate) => candidate.uid === this.view?.failure?.first);
    if (!item) return;
    this.collapsed.clear();
    this.select(item);
  }

  step(by: 1 | -1): void {
    const rows = this.tree.rows;
    const at = rows.findIndex((row) => row.item.uid === this.selected?.uid && row.kind !== 'missing');
    const next = rows.slice(by > 0 ? at + 1 : 0, by > 0 ? undefined : Math.max(at, 0));
    const row = by > 0 ? next.find(isOwn) : next.findLast(isOwn);
    if (row) this.select(row.item);
  }

  stepError(by: 1 | -1): void {
    const current = this.tree.rows.find((row) => row.item.uid === this.selected?.uid);
    const row = nextError(this.tree.rows, current?.key ?? null, by);
    if (row) this.select(row.item);
  }

  /** Goes to the next or previous hit, opening what hides it. */
  stepHit(by: 1 | -1): void {
    const at = this.hits.findIndex((item) => item.uid === this.selected?.uid);
    const next = at < 0 ? (by > 0 ? 0 : this.hits.length - 1) : (at + by + this.hits.length) % this.hits.length;
    const item = this.hits[next];
    if (!item) return;
    this.collapsed.clear();
    this.select(item);
  }

  /** Shows log lines below the spans that wrote them, or hides them. */
  async toggleLogs(): Promise<void> {
    const view = this.view;
    if (this.logs !== null || !view) {
      this.logs = null;
      return;
    }
    try {
      const filter = `trace:${view.traces.slice(0, TRACES_ASKED).join(',')}`;
      const page = await backend().call('logs', { range: { sinceAt: null, untilAt: null }, filter, limit: LOGS_ASKED, before: null, after: null, reveal: [] });
      this.logs = page.rows;
      if (page.rows.length === 0) notices.say('No log line carries an id of this journey');
      else if (page.more) notices.say(`The newest ${LOGS_ASKED} log lines are shown`);
    } catch (thrown) {
      notices.error('Loading log lines failed', thrown);
    }
  }

  /** Opens or closes what is below a row; without a direction the other way round. */
  toggle(row: Row, open?: boolean): void {
    if (!row.branch) return;
    if (open ?? this.collapsed.has(row.key)) this.collapsed.delete(row.key);
    else this.collapsed.add(row.key);
  }

  toggleSelected(open: boolean): void {
    const row = this.tree.rows.find((candidate) => candidate.item.uid === this.selected?.uid);
    if (row) this.toggle(row, open);
  }

  #isOpen(view: JourneyView | null): boolean {
    return view !== null && this.#id !== null && (view.row.id === this.#id || view.traces.includes(this.#id));
  }

  #load(id: string | null): void {
    const changed = id !== this.#id;
    if (!changed && !this.#mayChange()) return;
    this.#id = id;
    if (changed) {
      this.collapsed.clear();
      this.unfolded = false;
      this.streams = {};
      this.logs = null;
      this.search = '';
    }
    if (id === null) this.query.clear();
    else void this.query.load({ id, guesses: this.guesses }, { replace: changed });
  }

  /** A settled journey of the past is not asked for again and again. */
  #mayChange(): boolean {
    const row = this.view?.row;
    if (!row) return this.query.error === null;
    return time.live && time.now() - (row.startAt + (row.settledMs ?? 0)) < SETTLES_MS;
  }

  async #askStreams(view: JourneyView): Promise<void> {
    const rows = view.items.map((item) => item.eventRow).filter((row) => row !== null && this.streams[row] === undefined);
    for (const row of rows.slice(0, STREAMS_ASKED)) {
      if (row === null) continue;
      try {
        const event = await backend().call('event', { row, reveal: [] });
        this.streams = { ...this.streams, [row]: event.row.stream ?? '' };
      } catch {
        // The stream's name is an extra; without it the band says the rest.
        return;
      }
    }
  }
}

function barsOf(view: JourneyView): Bar[] {
  const everything = { collapsed: new Set<string>(), unfolded: true, keep: new Set<string>(), missing: 0, entryMissing: false };
  const rows = buildTree(view.items, everything).rows.filter(isOwn);
  return rows.map(({ item, part }) => ({ startAt: item.startAt, endAt: item.startAt + item.durationMs, part }));
}

/** The item an address means: by uid or id, else the first failure, else the first one. */
function choose(view: JourneyView, wanted: string | null): Item | null {
  const named = wanted === null ? undefined : view.items.find((item) => item.uid === wanted || item.id === wanted);
  return named ?? view.items.find((item) => item.uid === view.failure?.first) ?? view.items[0] ?? null;
}

/** Items in which all words stand: participant, operation, role, status, id. */
function matching(items: readonly Item[], text: string): Item[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return items.filter((item) => {
    const said = `${item.participantName} ${item.name} ${item.role} ${item.badge ?? ''} ${item.status === 'error' ? 'error failed' : ''} ${item.id} ${item.layer}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

function isOwn(row: Row): boolean {
  return row.kind === 'item' || row.kind === 'band';
}

/** Shows a participant on the map; time range and environment stay. */
export function openOnMap(participant: string): void {
  route.open('topology', { sel: participant });
}
