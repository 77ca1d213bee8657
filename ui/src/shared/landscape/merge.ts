import type { Band, Domain, Edge, Nearest, Node, QuietSource, TopologyView, UnresolvedGroup } from '../../lib/bindings';

/** A participant on the map; `goneAt` is set once the studio no longer has it, and it stays greyed. */
export type MapNode = Node & { goneAt: number | null };

/** An interaction on the map. */
export type MapEdge = Edge & { goneAt: number | null };

/** The whole map as shown. Immutable: every merge gives a new one, unchanged parts keep their identity. */
export interface Landscape {
  revision: number;
  nodes: ReadonlyMap<string, MapNode>;
  edges: ReadonlyMap<string, MapEdge>;
  bands: Band[];
  width: number;
  height: number;
  unresolved: UnresolvedGroup[];
  quiet: QuietSource[];
  noise: number;
  hidden: string[];
  domains: Domain[];
  nearest: Nearest;
}

/**
 * Puts an answer on top of what is shown. A full answer replaces everything. A difference changes by id;
 * what it removes stays, greyed, until `keepMs` have passed, and comes back in place when seen again.
 * With `within` (a window moved inside a range) what a full answer lacks stays greyed too, so that the picture stands still.
 */
export function merge(shown: Landscape | null, answer: TopologyView, nowAt: number, keepMs: number, within = false): Landscape {
  const view = answer.full && shown && within ? asDifference(shown, answer) : answer;
  const base = view.full || !shown ? null : shown;
  const nodes = mergeById(base?.nodes, view.nodes, view.removedNodes, nowAt, keepMs);
  // A guess that turned out to be another participant was never there: it leaves no ghost.
  const live = new Set([...nodes.values()].filter((node) => node.goneAt === null).map((node) => `${node.kind} ${node.name}`));
  for (const id of view.removedNodes) {
    const gone = nodes.get(id);
    if (gone && ((gone.kind === 'service' && !gone.instrumented) || live.has(`${gone.kind} ${gone.name}`))) nodes.delete(id);
  }
  const edges = mergeById(base?.edges, view.edges, view.removedEdges, nowAt, keepMs);
  for (const [id, edge] of edges) {
    if (edge.goneAt !== null && !(nodes.has(edge.source) && nodes.has(edge.target))) edges.delete(id);
  }
  return {
    revision: view.revision,
    nodes,
    edges,
    bands: view.bands,
    width: view.width,
    height: view.height,
    unresolved: view.unresolved,
    quiet: view.quiet,
    noise: view.noise,
    hidden: view.hidden,
    domains: view.domains,
    nearest: view.nearest,
  };
}

/** Without the ghosts that folding or unfolding a domain leaves: nobody is gone, they stand behind another card. */
export function withoutFolds(map: Landscape): Landscape {
  const live = [...map.nodes.values()].filter((node) => node.goneAt === null);
  const behind = new Set(live.flatMap((node) => node.members.map((member) => member.id)));
  const isFold = (node: MapNode) => node.goneAt !== null && (node.kind === 'group' || behind.has(node.id));
  const ghosts = new Set([...map.nodes.values()].filter(isFold).map((node) => node.id));
  if (ghosts.size === 0) return map;
  const edges = [...map.edges].filter(([, edge]) => !(ghosts.has(edge.source) || ghosts.has(edge.target)));
  return { ...map, nodes: new Map([...map.nodes].filter(([id]) => !ghosts.has(id))), edges: new Map(edges) };
}

/** A full answer as the difference to what is shown. */
function asDifference(shown: Landscape, view: TopologyView): TopologyView {
  const [nodes, edges] = [new Set(view.nodes.map((node) => node.id)), new Set(view.edges.map((edge) => edge.id))];
  // Cards that were folded away, or unfolded, are not gone: they are behind another card now.
  const behind = new Set(view.nodes.flatMap((node) => node.members.map((member) => member.id)));
  const removedNodes = [...shown.nodes.keys()].filter((id) => !nodes.has(id) && !behind.has(id));
  return { ...view, full: false, removedNodes, removedEdges: [...shown.edges.keys()].filter((id) => !edges.has(id)) };
}

function mergeById<T extends { id: string }>(
  before: ReadonlyMap<string, T & { goneAt: number | null }> | undefined,
  changed: T[],
  removed: string[],
  nowAt: number,
  keepMs: number,
): Map<string, T & { goneAt: number | null }> {
  const next = new Map<string, T & { goneAt: number | null }>();
  for (const [id, item] of before ?? []) {
    if (item.goneAt === null || nowAt - item.goneAt < keepMs) next.set(id, item);
  }
  for (const id of removed) {
    const item = next.get(id);
    if (item && item.goneAt === null) next.set(id, { ...item, goneAt: nowAt });
  }
  for (const item of changed) next.set(item.id, { ...item, goneAt: null });
  return next;
}
