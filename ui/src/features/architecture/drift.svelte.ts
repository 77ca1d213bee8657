import { untrack } from 'svelte';
import { backend } from '../../lib/backend';
import type { DesignEdits, DeviationView } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { design } from './design.svelte';
import { apartKept } from './drift';

/** Where the running system differs from the design, and what is selected. */
export class DriftState {
  query = new Query('drift');
  /** How far the reading under way is. */
  progress = $state.raw<{ text: string; share: number } | null>(null);
  busy = $state(false);
  #scope = '';

  view = $derived(this.query.data);
  apart = $derived(apartKept(this.view));
  /** Which are listed. */
  kept = $derived(route.param('tab') === 'kept');
  shown = $derived(this.kept ? this.apart.kept : this.apart.open);
  selected = $derived<DeviationView | null>(this.shown.find((one) => one.id === route.param('sel')) ?? this.shown[0] ?? null);

  /** Keeps it up to date with the range; call inside of a component's initialisation. */
  follow(): void {
    untrack(() => void design.load());
    $effect(() => {
      const scope = JSON.stringify(time.choice);
      untrack(() => {
        if (scope !== this.#scope) this.again();
        this.#scope = scope;
      });
    });
    $effect(() =>
      app.listen((update) => {
        design.take(update);
        if (update.type === 'judging') this.progress = { text: update.text, share: update.share };
        else if (update.type === 'erased' || update.type === 'settings') this.again();
      }),
    );
  }

  /** Reads the range anew. */
  again(): void {
    void this.query.load({ range: time.range }, { replace: true }).finally(() => (this.progress = null));
  }

  step(by: 1 | -1): void {
    const at = this.shown.findIndex((one) => one.id === this.selected?.id);
    const next = this.shown[at < 0 ? 0 : at + by];
    if (next) route.set({ sel: next.id });
  }

  async accept(one: DeviationView): Promise<void> {
    await this.#change('It could not be taken into the design', 'Taken into the design', () => backend().call('drift_accept', { range: time.range, id: one.id }));
  }

  async keep(one: DeviationView, reason: string | null): Promise<boolean> {
    const said = reason === null ? 'Open again' : 'Kept; the design says why';
    return await this.#change('The decision could not be kept', said, () => backend().call('drift_keep', { kind: one.kind, subject: one.subject, reason }));
  }

  /** Changes the text of the design, only where it has to change, and looks at it again. */
  async #change(what: string, said: string, ask: () => Promise<DesignEdits>): Promise<boolean> {
    this.busy = true;
    const done = await attempt(what, async () => {
      await design.flush();
      design.apply((await ask()).edits, `deviation ${time.now()}`);
      await design.flush();
      if (design.saving !== 'saved') throw new Error('the file was changed by another program; look at it under Design');
      const after = design.text;
      notices.say(said, { label: 'Undo', run: () => void this.#undo(after) });
    });
    this.busy = false;
    this.again();
    return done;
  }

  /** Takes the change back that led to this text, if it was the last one. */
  async #undo(after: string): Promise<void> {
    if (design.text !== after) {
      notices.say('The design was changed since: undo it under Design, one step after the other');
      return;
    }
    design.undo();
    await design.flush();
    this.again();
  }
}
