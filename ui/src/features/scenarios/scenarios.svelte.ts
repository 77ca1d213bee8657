import { backend, toBackendError } from '../../lib/backend';
import type { ScenarioCheck, ScenarioResult, ScenarioRun, Scenarios, ScenarioView, Update } from '../../lib/bindings';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { route } from '../../shared/state/route.svelte';
import { EditedText } from '../../shared/text/edited.svelte';
import { changed } from '../../shared/text/history';

/** The scenarios of the workspace, and the one that is open. */
export class ScenarioStore extends EditedText {
  list = $state.raw<Scenarios | null>(null);
  problem = $state<string | null>(null);
  /** Name of the file that is open. */
  id = $state<string | null>(null);
  check = $state.raw<ScenarioCheck | null>(null);
  result = $state.raw<ScenarioResult | null>(null);
  run = $state.raw<ScenarioRun | null>(null);
  /** What a slider would lead to, and of which text. */
  preview = $state.raw<ScenarioResult | null>(null);
  #revision: string | null = null;
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
    this.id = null;
    this.show('');
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
    if (this.isIdle && this.text === before && found.revision !== this.#revision) this.#show(found);
  }

  /** The file was changed elsewhere: take that, or write over it. */
  async settle(take: 'theirs' | 'mine'): Promise<void> {
    if (this.id === null) return;
    const { id, text, history } = this;
    if (take === 'mine') {
      this.#revision = null;
      await this.save();
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

  protected readonly words = { conflict: 'held', failed: 'The scenario could not be kept' };

  protected get isOpen(): boolean {
    return this.id !== null;
  }

  protected async keep(text: string): Promise<void> {
    const { id } = this;
    if (id === null) return;
    const kept = await backend().call('scenario_save', { id, text, revision: this.#revision });
    if (this.id !== id) return;
    this.#revision = kept.revision;
    if (this.text !== text) return;
    this.check = kept.check;
    if (this.preview && this.preview.inputs !== kept.check.inputs && this.#trying === null && !this.#tried) this.preview = null;
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
    this.id = view.id;
    this.show(view.text);
    this.#revision = view.revision;
    this.check = view.check;
    this.result = view.result;
    this.run = view.run;
    this.preview = null;
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
