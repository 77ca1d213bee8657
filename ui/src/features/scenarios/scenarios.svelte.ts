import { backend, toBackendError } from '../../lib/backend';
import type { ScenarioCheck, ScenarioResult, ScenarioRun, Scenarios, ScenarioView, Update } from '../../lib/bindings';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { route } from '../../shared/state/route.svelte';
import { changed, EMPTY, redone, undone, type History } from './history';

/** How long people pause typing before it is kept. */
const SAVE_MS = 350;
/** Changes of the same kind that follow faster than this are one step to undo. */
const BURST_MS = 900;

/** The scenarios of the workspace, and the one that is open. */
export class ScenarioStore {
  list = $state.raw<Scenarios | null>(null);
  problem = $state<string | null>(null);
  /** Name of the file that is open. */
  id = $state<string | null>(null);
  /** Its text as edited. */
  text = $state('');
  check = $state.raw<ScenarioCheck | null>(null);
  result = $state.raw<ScenarioResult | null>(null);
  run = $state.raw<ScenarioRun | null>(null);
  /** What a slider would lead to, and of which text. */
  preview = $state.raw<ScenarioResult | null>(null);
  saving = $state<'saved' | 'saving' | 'conflict' | 'failed'>('saved');
  history = $state.raw<History>(EMPTY);
  #revision: string | null = null;
  #burst: { kind: string; at: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | null = null;
  #again = false;
  #trying: { text: string; variants: string[] } | null = null;
  #tried = false;
  /** Figures of the run under way are shown already. */
  #early = false;

  /** What the last run found is of other inputs than those that stand there now. */
  readonly stale = $derived(this.result !== null && this.check !== null && this.result.inputs !== this.check.inputs);
  readonly design = $derived(this.check?.design ?? null);
  readonly running = $derived(this.run?.state === 'running');

  /** Takes a pushed change. */
  take(u: Update): void {
    if (u.type === 'scenarios') void this.refresh();
    else if (u.type === 'workspace') this.#forget();
    else if (u.type === 'scenario' && u.run.id === this.id) void this.#advance(u.run);
  }

  /** Asks for the list; opens what the address names, else the one changed last. */
  async refresh(): Promise<void> {
    try {
      this.list = await backend().call('scenarios', {});
      this.problem = null;
    } catch (thrown) {
      this.problem = toBackendError(thrown).message;
    }
  }

  async open(id: string): Promise<void> {
    if (id === this.id) return;
    await this.flush();
    await attempt('The scenario could not be opened', async () => this.#show(await backend().call('scenario', { id })));
  }

  /** Nothing is open any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.id = null;
    this.text = '';
    this.check = null;
    this.result = null;
    this.run = null;
    this.preview = null;
  }

  /** What happened while nobody looked: a run that ended, and a file that somebody else changed and nobody here. */
  async look(): Promise<void> {
    if (this.id === null) return;
    const [id, before] = [this.id, this.text];
    const found = await backend().call('scenario', { id }).catch(() => null);
    if (!found || this.id !== id) return;
    this.run = found.run;
    this.result = found.result;
    if (this.saving === 'saved' && this.#writing === null && this.text === before && found.revision !== this.#revision) this.#show(found);
  }

  /** Changes the text. Changes of the same `kind` in a row are one step to undo; typing is kept when it pauses, all else at once. */
  edit(text: string | null, kind: string): void {
    if (text === null) {
      notices.error('This cannot be changed here: edit the text');
      return;
    }
    if (text === this.text || this.id === null) return;
    const now = Date.now();
    const joined = this.#burst !== null && this.#burst.kind === kind && now - this.#burst.at < BURST_MS;
    this.#burst = { kind, at: now };
    this.history = changed(this.history, this.text, joined);
    this.#change(text, kind === 'typing' ? SAVE_MS : 0);
  }

  undo(): void {
    this.#step(undone(this.history, this.text));
  }

  redo(): void {
    this.#step(redone(this.history, this.text));
  }

  /** Keeps what is not kept yet. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.saving === 'saving') await this.#save();
  }

  /** The file was changed elsewhere: take that, or write over it. */
  async settle(take: 'theirs' | 'mine'): Promise<void> {
    if (this.id === null) return;
    const { id, text, history } = this;
    if (take === 'mine') {
      this.#revision = null;
      await this.#save();
      return;
    }
    await attempt('The scenario could not be read', async () => {
      this.#show(await backend().call('scenario', { id }));
      this.history = changed(history, text, false);
    });
  }

  async start(): Promise<void> {
    await this.flush();
    const { id } = this;
    if (id === null || this.running || this.saving !== 'saved') return;
    await attempt('The scenario could not be run', async () => {
      this.#early = false;
      this.run = await backend().call('scenario_run', { id });
      this.preview = null;
    });
  }

  async cancel(): Promise<void> {
    const { id } = this;
    if (id !== null) await backend().call('scenario_cancel', { id }).catch(() => undefined);
  }

  /** Shows what another text would lead to. The newest of several wins. */
  async tryOut(text: string | null, variants: string[]): Promise<void> {
    if (text === null || this.id === null) return;
    this.#trying = { text, variants };
    if (this.#tried) return;
    this.#tried = true;
    while (this.#trying !== null && this.id !== null) {
      const asked: { text: string; variants: string[] } = this.#trying;
      const id: string = this.id;
      this.#trying = null;
      const found = await backend().call('scenario_preview', { id, ...asked }).catch(() => null);
      if (found?.result && this.id === id) this.preview = found.result;
    }
    this.#tried = false;
  }

  #step(found: { text: string; history: History } | null): void {
    if (found === null) return;
    this.history = found.history;
    this.#burst = null;
    this.#change(found.text, 0);
  }

  #change(text: string, wait: number): void {
    this.text = text;
    this.saving = 'saving';
    clearTimeout(this.#timer);
    if (wait === 0) void this.#save();
    else this.#timer = setTimeout(() => void this.#save(), wait);
  }

  /** One writes at a time; what changes meanwhile is written next. */
  async #save(): Promise<void> {
    this.#again = true;
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#again && this.id !== null) {
      this.#again = false;
      const { id, text } = this;
      try {
        const kept = await backend().call('scenario_save', { id, text, revision: this.#revision });
        if (this.id !== id) return;
        this.#revision = kept.revision;
        if (this.text === text) {
          this.check = kept.check;
          this.saving = 'saved';
          if (this.preview && this.preview.inputs !== kept.check.inputs && this.#trying === null && !this.#tried) this.preview = null;
        }
      } catch (thrown) {
        if (this.id !== id) return;
        const error = toBackendError(thrown);
        this.saving = error.code === 'held' ? 'conflict' : 'failed';
        if (error.code !== 'held') notices.error('The scenario could not be kept', thrown);
        return;
      }
    }
  }

  async #advance(run: ScenarioRun): Promise<void> {
    this.run = run;
    const running = run.state === 'running';
    // Figures and a first judgement come before what the verdict hangs on.
    if (running && (!run.shown || this.#early)) return;
    this.#early = running;
    if (run.state === 'failed') notices.error(`The run failed: ${run.problem ?? 'no reason was given'}`);
    const found = await backend().call('scenario', { id: run.id }).catch(() => null);
    if (!found || this.id !== run.id) return;
    this.result = found.result;
    this.preview = null;
    if (running) return;
    this.run = null;
    const words = found.result?.verdict?.title;
    notices.announce(run.state === 'cancelled' ? 'The run was stopped' : words ? `Run done. ${words}` : 'Run done');
  }

  #show(view: ScenarioView): void {
    clearTimeout(this.#timer);
    this.id = view.id;
    this.text = view.text;
    this.#revision = view.revision;
    this.check = view.check;
    this.result = view.result;
    this.run = view.run;
    this.preview = null;
    this.history = EMPTY;
    this.#burst = null;
    this.saving = 'saved';
    if (route.param('id') !== view.id) route.set({ id: view.id, a: null, b: null });
  }

  /** Opens a scenario that was just made. */
  adopt(view: ScenarioView): void {
    this.#show(view);
    void this.refresh();
  }

  #forget(): void {
    this.close();
    this.list = null;
    void this.refresh();
  }
}

/** One for the window: what is open stays open while other areas are shown. */
export const scenarios = new ScenarioStore();
