import { untrack } from 'svelte';
import { backend } from '../../lib/backend';
import type { FindingsView, FindingView, Range } from '../../lib/bindings';
import { app } from '../../shared/state/app.svelte';
import { attempt } from '../../shared/state/notices.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import { nextAskMs, tabOf, type FindingTab } from './findings';

/** The rules held against the range, what is selected, and whose failure is looked at. */
export class Architecture {
  query = new Query('findings');
  impact = new Query('impact');
  /** How far the judgement under way is. */
  progress = $state.raw<{ text: string; share: number } | null>(null);
  /** It was stopped; the last answer stays. */
  stopped = $state(false);
  #scope = '';
  #askedAt = 0;
  #range: Range = { sinceAt: null, untilAt: null };

  view = $derived<FindingsView | null>(this.query.data);
  tab = $derived<FindingTab>(tabOf(route.param('tab')));
  open = $derived<FindingView[]>((this.view?.findings ?? []).filter((finding) => finding.waiver === null));
  waived = $derived<FindingView[]>((this.view?.findings ?? []).filter((finding) => finding.waiver !== null));
  shown = $derived<FindingView[]>(this.tab === 'waived' ? this.waived : this.tab === 'open' ? this.open : []);
  selected = $derived<FindingView | null>(this.shown.find((finding) => finding.id === route.param('sel')) ?? this.shown[0] ?? null);
  /** Whose failure is looked at: the one chosen, else the most needed service. */
  down = $derived<string | null>(route.param('down') ?? this.view?.points.find((point) => point.who.kind === 'service')?.who.id ?? null);

  /** Keeps it up to date; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      const [scope, range] = [JSON.stringify(time.choice), time.range];
      untrack(() => this.#follow(scope, range));
    });
    $effect(() =>
      app.listen((update) => {
        if (update.type === 'judging') this.progress = { text: update.text, share: update.share };
        else if (update.type === 'settings') this.#ask(time.range, false, true);
        else if (update.type === 'erased') this.#ask(time.range, true, true);
      }),
    );
    $effect(() => {
      const [id, view] = [this.down, this.view];
      untrack(() => {
        if (id !== null && view !== null) void this.impact.load({ range: this.#range, id }, { replace: true });
        else this.impact.clear();
      });
    });
    // Whoever leaves has looked.
    $effect(() => () => void backend().call('findings_looked', {}).catch(() => {}));
  }

  again(): void {
    this.#ask(time.range, true, true);
  }

  async cancel(): Promise<void> {
    this.stopped = await attempt('Checking could not be stopped', () => backend().call('findings_cancel', {}));
  }

  select(id: string): void {
    route.set({ sel: id });
  }

  step(by: 1 | -1): void {
    const at = this.shown.findIndex((finding) => finding.id === this.selected?.id);
    const next = this.shown[at < 0 ? 0 : at + by];
    if (next) this.select(next.id);
  }

  #follow(scope: string, range: Range): void {
    const moved = scope !== this.#scope;
    if (!moved && (this.stopped || time.now() - this.#askedAt < nextAskMs(this.view?.tookMs ?? 0))) return;
    this.#scope = scope;
    this.#ask(range, false, moved);
  }

  #ask(range: Range, again: boolean, replace: boolean): void {
    this.stopped = false;
    this.#askedAt = time.now();
    void this.query.load({ range, again }, { replace }).finally(() => {
      this.progress = null;
      this.#range = range;
    });
  }
}
