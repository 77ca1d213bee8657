import { backend } from '../../lib/backend';
import type { AppInfo, ImportView, Update } from '../../lib/bindings';
import { erase } from '../erase/erase.svelte';
import { imports } from '../imports/imports.svelte';
import { marks } from './marks.svelte';
import { notices } from './notices.svelte';
import { choiceForImports } from './range';
import { route } from './route.svelte';
import { time } from './time.svelte';

type Counters = Extract<Update, { type: 'counters' }>;

const BEAT_MS = 1000;
const IDLE_BEAT_MS = 5000;

/** What the window knows of the workspace, and the one place where pushed changes arrive. */
class App {
  info = $state.raw<AppInfo | null>(null);
  problem = $state<string | null>(null);
  counters = $state.raw<Counters | null>(null);
  /** False while the stream of changes is cut. */
  connected = $state(true);
  /** Grows when listeners or connections changed. */
  sourcesChanged = $state(0);
  /** Grows when the configuration changed. */
  settingsChanged = $state(0);

  #listeners = new Set<(u: Update) => void>();
  #lastBeat = 0;
  #pending: ReturnType<typeof setTimeout> | undefined;

  /** Chosen environment, null for all. Other parts of the address change nothing that depends on it. */
  environment = $derived<string | null>(route.param('env'));

  /** Listens to pushed changes; call the answer to stop. */
  listen(listener: (u: Update) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts listening to the studio; call the answer to stop. */
  start(): () => void {
    void this.refresh();
    void this.#loadMarks();
    const stop = backend().subscribe(
      (u) => this.#take(u),
      (up) => {
        if (up && !this.connected) void this.refresh();
        this.connected = up;
      },
    );
    const idle = setInterval(() => {
      if (time.live && Date.now() - this.#lastBeat > IDLE_BEAT_MS && !document.hidden) this.#beat();
    }, 1000);
    return () => {
      stop();
      clearInterval(idle);
      clearTimeout(this.#pending);
    };
  }

  /** Asks for the workspace again. */
  async refresh(): Promise<void> {
    try {
      const info = await backend().call('app', {});
      time.adjust(info.nowAt);
      this.info = info;
      this.problem = null;
    } catch (thrown) {
      this.problem = thrown instanceof Error ? thrown.message : String(thrown);
    }
  }

  #take(u: Update): void {
    if (u.type === 'counters') this.#counters(u);
    else if (u.type === 'stored') this.#stored();
    else if (u.type === 'import') this.#import(u.import);
    else if (u.type === 'sources') this.sourcesChanged += 1;
    else if (u.type === 'settings') this.settingsChanged += 1;
    else if (u.type === 'marks') void this.#loadMarks();
    else if (u.type === 'erased') this.#erased();
    else if (u.type === 'joined' || u.type === 'expired') this.#schedule();
    erase.take(u);
    this.#listeners.forEach((listener) => listener(u));
  }

  #counters(u: Counters): void {
    if (this.counters && this.counters.state !== u.state) notices.announce(u.problem ?? `Receiving data: ${u.state}`);
    this.counters = u;
  }

  async #loadMarks(): Promise<void> {
    try {
      await marks.load();
    } catch (thrown) {
      notices.error('Marks could not be read', thrown);
    }
  }

  #erased(): void {
    void this.refresh();
    this.#schedule();
  }

  #stored(): void {
    if (this.info?.empty) void this.refresh();
    this.#schedule();
  }

  #import(view: ImportView): void {
    const finished = imports.take(view);
    if (!finished || view.state !== 'done') return;
    const choice = choiceForImports(imports.together);
    if (choice) time.fixed(choice.from, choice.to);
    void this.refresh();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#pending !== undefined) return;
    const wait = Math.max(0, BEAT_MS - (Date.now() - this.#lastBeat));
    this.#pending = setTimeout(() => this.#beat(), wait);
  }

  #beat(): void {
    clearTimeout(this.#pending);
    this.#pending = undefined;
    this.#lastBeat = Date.now();
    time.beat += 1;
  }
}

export const app = new App();
