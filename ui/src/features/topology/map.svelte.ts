import { rate } from '../../shared/format';
import { landscape } from '../../shared/landscape/landscape.svelte';
import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import { route } from '../../shared/state/route.svelte';
import { Camera, type Bounds } from './camera.svelte';
import { isEvent, routes, type Route } from './geometry';
import { figureSize, pillSize, placeLabels, type Wanted } from './labels';
import { neighbour } from './navigate';
import { errorRate } from './words';

/** Above this many participants cards become compact and weak calls thin. */
const FULL_CARDS = 60;

/** The map on screen: what is selected, hovered, found; drawings of edges; the camera. */
export class MapState {
  camera = new Camera();
  hovered = $state<{ type: 'node' | 'edge'; id: string } | null>(null);
  find = $state('');
  /** The node arrow keys start from; one tab stop for the whole canvas. */
  roving = $state<string | null>(null);

  nodes = $derived(landscape.nodes);
  edges = $derived(landscape.edges);
  compact = $derived(this.nodes.length > FULL_CARDS);
  routes = $derived<Map<string, Route>>(routes(landscape.current?.nodes ?? new Map(), this.edges));
  failing = $derived(this.edges.filter((edge) => edge.health === 'failing' && edge.goneAt === null));
  labels = $derived(
    placeLabels(
      this.failing.filter((edge) => !isEvent(edge.kind)).map((edge) => this.#wanted(edge, errorRate(edge), pillSize)),
      this.nodes,
    ),
  );
  /** Rates beside their lines, for large scales. */
  figures = $derived(
    placeLabels(
      this.edges.filter((edge) => this.#hasFigure(edge)).map((edge) => this.#wanted(edge, rate(edge.figures.rate), figureSize)),
      [...this.nodes, ...this.labels],
      true,
    ),
  );

  selectedNode = $derived<MapNode | null>(landscape.node(route.param('sel') ?? '') ?? null);
  selectedEdge = $derived<MapEdge | null>(landscape.current?.edges.get(route.param('edge') ?? '') ?? null);
  flow = $derived<'calls' | 'data'>(route.param('flow') === 'data' ? 'data' : 'calls');
  found = $derived.by(() => {
    const text = this.find.trim().toLowerCase();
    return text === '' ? null : new Set(this.nodes.filter((node) => node.name.toLowerCase().includes(text)).map((node) => node.id));
  });

  /** What is hovered and everything touching it; null dims nothing. */
  lit = $derived.by(() => {
    const hovered = this.hovered;
    if (!hovered) return null;
    const touching = this.edges.filter((edge) => (hovered.type === 'edge' ? edge.id === hovered.id : edge.source === hovered.id || edge.target === hovered.id));
    const nodes = new Set(touching.flatMap((edge) => [edge.source, edge.target]));
    if (hovered.type === 'node') nodes.add(hovered.id);
    return { edges: new Set(touching.map((edge) => edge.id)), nodes };
  });

  bounds = $derived.by<Bounds>(() => {
    const bands = (landscape.current?.bands ?? []).filter((band) => band.count > 0 || band.layer === 'event');
    const xs = [...this.nodes.flatMap((n) => [n.x - n.width / 2, n.x + n.width / 2]), ...bands.flatMap((b) => [b.x, b.x + b.width])];
    const ys = this.nodes.flatMap((n) => [n.y - n.height / 2, n.y + n.height / 2]);
    if (xs.length === 0 || ys.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
  });

  /** Deliveries at the rate of their topic say nothing new. */
  #hasFigure(edge: MapEdge): boolean {
    if (edge.goneAt !== null || this.labels.some((label) => label.id === edge.id)) return false;
    return edge.kind !== 'consume' || rate(edge.figures.rate) !== rate(landscape.node(edge.source)?.figures.rate ?? null);
  }

  #wanted(edge: MapEdge, text: string, size: typeof pillSize): Wanted {
    return { id: edge.id, text, along: this.routes.get(edge.id)?.along ?? [], ...size(text) };
  }

  select(node: string | null): void {
    if (node !== null) this.roving = node;
    route.set({ sel: node, edge: null }, { push: true });
  }

  selectEdge(edge: string | null): void {
    route.set({ edge, sel: null }, { push: true });
  }

  setFlow(flow: 'calls' | 'data'): void {
    route.set({ flow: flow === 'data' ? 'data' : null });
  }

  /** Steps back: selection, then find. */
  back(): void {
    if (this.selectedNode || this.selectedEdge) this.select(null);
    else this.find = '';
  }

  /** Moves the roving focus; the answer is the node to focus. */
  move(key: string): MapNode | undefined {
    const from = this.nodes.find((node) => node.id === this.roving) ?? this.nodes[0];
    const to = from && neighbour(this.nodes, from, key);
    if (to) {
      this.roving = to.id;
      this.camera.reveal(boundsOf(to));
    }
    return to;
  }

  /** Fits the selection, or everything. */
  fit(selection = true): void {
    const node = selection ? this.selectedNode : null;
    if (!node) {
      this.camera.touched = false;
      return this.camera.fit(this.bounds);
    }
    const ids = new Set(this.edges.filter((edge) => edge.source === node.id || edge.target === node.id).flatMap((edge) => [edge.source, edge.target]));
    ids.add(node.id);
    this.camera.touched = true;
    this.camera.fit(unite(this.nodes.filter((known) => ids.has(known.id)).map(boundsOf)), { most: 1.3 });
  }

  #nextFailing = 0;
  /** Selects one failing path after the other. */
  cycleFailing(): void {
    const edge = this.failing[this.#nextFailing % this.failing.length];
    this.#nextFailing += 1;
    if (!edge) return;
    this.selectEdge(edge.id);
    const ends = [landscape.node(edge.source), landscape.node(edge.target)].filter((node) => node !== undefined);
    this.camera.reveal(unite(ends.map(boundsOf)));
  }
}

/** The part of the drawing a card takes. */
export function boundsOf(node: { x: number; y: number; width: number; height: number }): Bounds {
  return { x: node.x - node.width / 2, y: node.y - node.height / 2, width: node.width, height: node.height };
}

function unite(all: Bounds[]): Bounds {
  const x = Math.min(...all.map((b) => b.x));
  const y = Math.min(...all.map((b) => b.y));
  return { x, y, width: Math.max(...all.map((b) => b.x + b.width)) - x, height: Math.max(...all.map((b) => b.y + b.height)) - y };
}
