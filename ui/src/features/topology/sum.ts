import type { MapEdge, MapNode } from '../../shared/landscape/merge';

/** Several participants added up. */
export interface Sum {
  count: number;
  errors: number;
  rate: number | null;
  /** Interactions between two of them, and between one of them and somebody else. */
  inner: number;
  outer: number;
  /** How many are in which health, worst first. */
  health: [string, number][];
}

/** Adds participants up. */
export function sumOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): Sum {
  const ids = new Set(nodes.map((node) => node.id));
  const live = edges.filter((edge) => edge.goneAt === null);
  const inner = live.filter((edge) => ids.has(edge.source) && ids.has(edge.target)).length;
  const touching = live.filter((edge) => ids.has(edge.source) || ids.has(edge.target)).length;
  const rates = nodes.map((node) => node.figures.rate).filter((rate) => rate !== null);
  return {
    count: nodes.reduce((sum, node) => sum + node.figures.count, 0),
    errors: nodes.reduce((sum, node) => sum + node.figures.errors, 0),
    rate: rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0),
    inner,
    outer: touching - inner,
    health: ['failing', 'degraded', 'healthy', 'quiet'].map<[string, number]>((health) => [health, nodes.filter((node) => node.health === health).length]).filter(([, n]) => n > 0),
  };
}
