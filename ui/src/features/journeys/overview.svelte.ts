import { untrack } from 'svelte';
import type { CommonRequest } from '../../lib/bindings';
import { withTerm } from '../../shared/filter/terms';
import { app } from '../../shared/state/app.svelte';
import { Query } from '../../shared/state/query.svelte';
import { route } from '../../shared/state/route.svelte';
import { time } from '../../shared/state/time.svelte';
import type { JourneyList } from './list.svelte';
import { durationTerm } from './filters';
import { pickOf, pickParam, type Pick } from './pick';

/** What the overview shows below the points. */
export type OverviewTab = 'kinds' | 'common' | 'waiting';
/** Height of a point. */
export type By = 'settled' | 'response';

/** A live overview asks again after this long at the earliest: it reads thousands of journeys. */
const CALM_MS = 5_000;

/** All journeys of the list at a glance: kinds, points, and what picked ones have in common. */
export class Overview {
  kinds = new Query('kinds');
  scatter = new Query('scatter');
  common = new Query('common');
  #list: JourneyList;
  #asked = { scope: '', at: 0 };
  #common = '';

  open = $derived(route.param('pane') !== null);
  tab = $derived<OverviewTab>((['common', 'waiting'] as const).find((tab) => tab === route.param('pane')) ?? 'kinds');
  by = $derived<By>(route.param('by') === 'response' ? 'response' : 'settled');
  pick = $derived<Pick | null>(pickOf(route.param('pick')));
  /** The group that is told apart from the rest: what was picked, what the list is filtered by, else what failed. */
  group = $derived.by(() => {
    const { q } = this.#list.filter;
    if (this.pick) {
      const field = this.by === 'settled' ? 'duration' : 'response';
      return { filter: `${q} ${field}>=${durationTerm(this.pick.lowMs)} ${field}<=${durationTerm(this.pick.highMs)}`.trim(), picked: { sinceAt: this.pick.sinceAt, untilAt: this.pick.untilAt }, word: 'picked' };
    }
    return q === '' ? { filter: 'state:failed', picked: null, word: 'failed' } : { filter: q, picked: null, word: 'listed' };
  });

  constructor(list: JourneyList) {
    this.#list = list;
  }

  /** Keeps it up to date; call inside of a component's initialisation. */
  follow(): void {
    $effect(() => {
      const [filter, range, env, by] = [this.#list.filter, time.range, app.environment, this.by];
      if (!this.open) return;
      const expr = env === null ? filter.q : withTerm(filter.q, 'env', env);
      const request = { range, filter: expr === '' ? null : expr, noise: filter.noise };
      const scope = JSON.stringify([expr, filter.noise, by, time.choice]);
      untrack(() => {
        const same = scope === this.#asked.scope;
        if (same && Date.now() - this.#asked.at < CALM_MS) return;
        this.#asked = { scope, at: Date.now() };
        void this.kinds.load(request, { replace: !same });
        void this.scatter.load({ ...request, by }, { replace: !same });
      });
    });
    $effect(() => {
      const [group, env, choice, noise] = [this.group, app.environment, time.choice, this.#list.filter.noise];
      if (!this.open || this.tab !== 'common') return;
      const scope = JSON.stringify([group, env, choice, noise]);
      untrack(() => {
        if (scope !== this.#common) this.askCommon(scope);
      });
    });
  }

  /** Asks what the group has in common: on request only, for it reads every journey it looks at. */
  askCommon(scope = this.#common): void {
    this.#common = scope;
    const { filter, picked } = this.group;
    const env = app.environment;
    const request: CommonRequest = { range: time.range, within: env === null ? null : withTerm('', 'env', env), filter, picked, noise: this.#list.filter.noise };
    void this.common.load(request, { replace: true });
  }

  retry(): void {
    this.#asked = { scope: '', at: 0 };
    void this.kinds.load(this.#request(), { replace: true });
    void this.scatter.load({ ...this.#request(), by: this.by }, { replace: true });
  }

  setTab(tab: OverviewTab): void {
    route.set({ pane: tab }, { push: true });
  }

  setBy(by: By): void {
    route.set({ by: by === 'settled' ? null : by, pick: null });
  }

  choose(pick: Pick | null): void {
    route.set({ pick: pick === null ? null : pickParam(pick) }, { push: true });
  }

  #request() {
    const { q, noise } = this.#list.filter;
    const expr = app.environment === null ? q : withTerm(q, 'env', app.environment);
    return { range: time.range, filter: expr === '' ? null : expr, noise };
  }
}
