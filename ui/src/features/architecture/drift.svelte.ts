import { untrack } from 'svelte';
import { backend } from '../../lib/backend';
import type { DesignText, DeviationView } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { apartKept } from './drift';

/** The design, where the running system differs from it, and what is selected. */
export class DriftState {
  query = new Query('drift');
  design = new Query('design');
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
    void this.design.load({});
    $effect(() => {
      const scope = JSON.stringify(time.choice);
      untrack(() => {
        if (scope !== this.#scope) this.again();
        this.#scope = scope;
      });
    });
    $effect(() =>
      app.listen((update) => {
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

  /** Does something that changes the design, and looks at it again. */
  async change(what: string, said: string, run: (base: string | null) => Promise<DesignText>): Promise<DesignText | null> {
    this.busy = true;
    let made: DesignText | null = null;
    await attempt(what, async () => {
      made = await run(this.design.data?.text ?? null);
      notices.say(said);
    });
    this.busy = false;
    void this.design.load({}, { replace: true });
    this.again();
    return made;
  }

  async observe(): Promise<void> {
    await this.change('The design could not be made', 'What was observed is the design now', (base) => backend().call('design_observe', { range: time.range, base }));
  }

  async accept(one: DeviationView): Promise<void> {
    await this.change('It could not be taken into the design', 'Taken into the design', () => backend().call('drift_accept', { range: time.range, id: one.id }));
  }

  async keep(one: DeviationView, reason: string | null): Promise<boolean> {
    const said = reason === null ? 'Open again' : 'Kept; the design says why';
    return (await this.change('The decision could not be kept', said, () => backend().call('drift_keep', { kind: one.kind, subject: one.subject, reason }))) !== null;
  }
}
