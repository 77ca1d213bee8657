import { backend } from '../../lib/backend';
import type { SearchHits } from '../../lib/bindings';
import { currentView, addTerm, setFilter, currentFilter } from '../../shared/filter/current';
import { clock, day } from '../../shared/format';
import { layerWord } from '../../shared/layers';
import { available } from '../../shared/state/commands';
import { Paced } from '../../shared/state/paced';
import { route } from '../../shared/state/route.svelte';
import { recentSearches, remember } from './recent';
import { fitting, type Entry } from './search';

const VIEW_WORDS = { journeys: 'journeys', events: 'events', logs: 'logs', map: 'the map' };

/** What the palette shows for what is typed. */
export class Palette {
  text = $state('');
  hits = $state.raw<SearchHits | null>(null);
  /** An answer is under way. */
  busy = $state(false);
  #paced = new Paced();
  #then: (() => void) | null = null;

  entries = $derived<Entry[]>(this.text.trim() === '' ? this.#atRest() : this.#found(this.text.trim()));

  /** Asks for what was typed. */
  ask(): void {
    this.#paced.stop();
    this.#then = null;
    const text = this.text.trim();
    if (text === '') {
      this.hits = null;
      this.busy = false;
      return;
    }
    this.busy = true;
    this.#paced.ask((isNewest) => this.#load(text, isNewest));
  }

  /** Does something once the answer to what was typed is there: a number pasted and sent off at once means its journey, not what is listed until then. */
  answered(then: () => void): void {
    if (!this.busy) return then();
    this.#then = then;
  }

  /** Puts it away. */
  reset(): void {
    this.#paced.stop();
    this.#then = null;
    this.text = '';
    this.hits = null;
    this.busy = false;
  }

  async #load(text: string, isNewest: () => boolean): Promise<void> {
    let hits: SearchHits | null = null;
    try {
      hits = await backend().call('search', { text });
    } catch {
      // Commands and filters still work; the next key asks again.
    }
    if (!isNewest()) return;
    this.hits = hits;
    this.busy = false;
    const then = this.#then;
    this.#then = null;
    then?.();
  }

  #atRest(): Entry[] {
    const recent = recentSearches().map((text): Entry => ({ id: `recent ${text}`, group: 'Recent searches', label: text, icon: 'recent', run: () => ((this.text = text), this.ask()) }));
    const commands = available().map((command): Entry => ({ id: command.id, group: 'Commands', label: command.title, ...(command.keys ? { keys: command.keys } : {}), icon: 'command', run: command.run }));
    return [...recent, ...commands];
  }

  #found(text: string): Entry[] {
    const hits = this.hits;
    const found = hits ? this.#hits(hits, text) : [];
    const commands = fitting(available(), text, 5).map((command): Entry => ({ id: command.id, group: 'Commands', label: command.title, ...(command.keys ? { keys: command.keys } : {}), icon: 'command', run: command.run }));
    // What has exactly this id or key is what was meant.
    const ordered = hits?.exact ? [...found, ...commands] : [...found.filter((one) => one.icon === 'node'), ...commands, ...found.filter((one) => one.icon !== 'node')];
    return [...ordered, ...this.#filters(text)];
  }

  #hits(hits: SearchHits, text: string): Entry[] {
    const kept = (run: () => void) => () => (remember(text), run());
    return [
      ...hits.journeys.map((row): Entry => ({ id: `journey ${row.id}`, group: hits.exact ? 'Journeys with this id or key, all times' : 'Journeys', label: row.root, detail: `${row.keys[0]?.value ?? ''} · ${day(row.startAt)} ${clock(row.startAt)}`, icon: 'journey', run: kept(() => route.open('journeys', hits.exact ? { find: text, id: row.id } : { id: row.id })) })),
      ...hits.events.map((row): Entry => ({ id: `event ${row.row}`, group: 'Events', label: row.destination, detail: `${row.eventId ?? ''} · ${day(row.at)} ${clock(row.at)}`, icon: 'event', run: kept(() => route.open('events', { row: String(row.row), q: row.eventId ? `id:${row.eventId}` : '', from: String(row.at - 60_000), to: String(row.at + 60_000) })) })),
      ...hits.nodes.map((node): Entry => ({ id: `node ${node.id} ${node.operation ?? ''}`, group: node.operation === null ? 'Participants and subjects' : 'Operations', label: node.operation ?? node.name, detail: node.operation === null ? (node.kind === 'topic' ? 'Topic' : layerWord(node.layer)) : node.name, icon: 'node', node, run: kept(() => route.open('topology', { sel: node.id })) })),
      ...hits.keys.map((key): Entry => ({ id: `key ${key.name} ${key.value}`, group: 'Keys', label: key.value, detail: key.name, icon: 'key', run: kept(() => route.open('journeys', { find: key.value })) })),
    ];
  }

  #filters(text: string): Entry[] {
    const view = currentView();
    const looksLikeFilter = /^-?(@\S+|[a-z][\w.-]*)(:|[<>])/i.test(text);
    const journeys: Entry = { id: 'find', group: 'Search', label: `Journeys with “${text}”`, detail: 'whole value, all times', icon: 'journey', run: () => (remember(text), route.open('journeys', { find: text })) };
    if (view === null) return [journeys];
    const filter: Entry = {
      id: 'filter', group: 'Search', label: `Filter ${VIEW_WORDS[view]} by “${text}”`, icon: 'filter',
      run: () => (remember(text), looksLikeFilter ? setFilter(`${currentFilter()} ${text}`.trim()) : addTerm(null, text)),
    };
    return [filter, journeys];
  }
}
