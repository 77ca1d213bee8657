import type { DesignStep, ScenarioDesign } from '../../lib/bindings';

/** A small design for tests. */
export function designOf(): ScenarioDesign {
  const participant = (name: string, layer: string) => ({ name, layer, guessed: false, workers: 4, replicas: 1, events: 'both', workMs: 20, fails: 0, outages: [] });
  const step = (id: string, caller: string, callee: string): DesignStep => ({
    id, caller, callee, operation: `${callee}.do`, path: ['operations', `${caller}.do`, 'steps', '0'], workMs: 20, intent: 'write', needs: 'nothing', withinMs: null, timeoutMs: null,
    attempts: 1, idempotent: null, ordered: null, sensitive: null, channel: 'orders.placed', obstacle: null,
  });
  return {
    title: 'Place order',
    workloads: [{ name: 'shop', to: 'web.do', kind: 'poisson', rate: 60, peak: 60, patienceMs: null }],
    participants: [participant('web', 'experience'), participant('order', 'process'), participant('pay', 'system'), participant('erp', 'system'), participant('mail', 'system')],
    steps: [step('order', 'web', 'order'), step('pay', 'order', 'pay'), step('post', 'order', 'erp'), step('tell', 'order', 'mail')],
    channels: ['orders.placed'],
    variants: [{ name: 'api-led', events: {}, overrides: false }, { name: 'hybrid', events: { post: 'orders.placed', tell: 'orders.placed' }, overrides: false }],
    variantsNamed: true,
    targetResponseMs: 600, targetSettledMs: 30_000, targetSuccess: 0.995, durationMs: 600_000, replications: 10, seed: 42, inputs: [], warnings: [],
  };
}
