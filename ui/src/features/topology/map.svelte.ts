import { rate } from '../../shared/format';
import { landscape } from '../../shared/landscape/landscape.svelte';
import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import { foldParam, selectedIds, selectionParams } from '../../shared/landscape/params';
import { route } from '../../shared/state/route.svelte';
import { Camera, type Bounds } from './camera.svelte';
import { isEvent, routes, sameDrawing } from './geometry';
import type { Route } from './route';
import { Space } from './space';
import { figureSize, pillSize, placeLabels, type Wanted } from './labels';
import { neighbour } from './navigate';
import { MapFilter } from './filter.svelte';
import { errorRate } from './words';

/** Above this many participants cards become compact and weak calls thin. */
const FULL_CARDS = 60;
/** Above so many participants or interactions the map is painted, and only cards in view are elements. */
const PAINTED = { nodes: 300, edges: 800 };
/** A line is hit this near, pixels of the screen. */
const NEAR = 7;
/** Above this many the overview appears. */
const MINIMAP = 24;

/** The map on screen: what is selected, hovered, found; drawings of edges; the camera. */
export class MapState {
  camera = new Camera();
  hovered = $state<{ type: 'node' | 'edge'; id: string } | null>(null);
  filter = new MapFilter();
  /** Whether the overview is wanted where there is no need for it, or not wanted where there is. */
  minimapAsked = $state<boolean | null>(null);
  /** The node arrow keys start from; one tab stop for the whole canvas. */
  roving = $state<string | null>(null);

  /** What is drawn: everything, or only what the filter means. */
  nodes = $derived(this.filter.hides ? landscape.nodes.filter((node) => this.filter.hasNode(node)) : landscape.nodes);
  edges = $derived.by(() => {
    if (!this.filter.hides) return landscape.edges;
    const shown = new Set(this.nodes.map((node) => node.id));
    return landscape.edges.filter((edge) => shown.has(edge.source) && shown.has(edge.target) && this.filter.hasEdge(edge));
  });
  compact = $derived(this.nodes.length > FULL_CARDS);
  large = $derived(this.nodes.length > PAINTED.nodes || this.edges.length > PAINTED.edges);
  #drawn: { nodes: MapNode[]; edges: MapEdge[]; routes: Map<string, Route> } | null = null;
  /** New figures alone draw no line anew. */
  routes = $derived.by(() => {
    const [nodes, edges] = [this.nodes, this.edges];
    const before = this.#drawn;
    const drawn = before && sameDrawing(before, { nodes, edges }) ? before.routes : routes(new Map(nodes.map((node) => [node.id, node])), edges);
    this.#drawn = { nodes, edges, routes: drawn };
    return drawn;
  });
  /** In big maps calls below this rate, 1 % of the busiest, are drawn thin. */
  weakBelow = $derived(this.compact ? this.edges.reduce((most, edge) => Math.max(most, edge.figures.rate ?? 0), 0) / 100 : 0);
  /** Where cards are, and lines: for large maps, whose parts are no elements. */
  #cardSpace = latest((nodes: readonly MapNode[]) => Space.of(nodes));
  #lineSpace = latest((drawn: ReadonlyMap<string, Route>) => Space.placed([...drawn].map(([id, route]) => [route.box, id] as const)));
  /** The part of a large map that is looked at. */
  region = $state.raw<Bounds | null>(null);
  /** Interactions whose middle lies in it: there their figures stand. */
  #near = $derived.by(() => {
    const { region, routes: drawn } = this;
    if (!this.large || !region) return null;
    return new Set(this.#lineSpace(drawn).within(region).filter((id) => this.#inRegion(drawn.get(id)?.middle)));
  });
  failing = $derived(this.edges.filter((edge) => edge.health === 'failing' && edge.goneAt === null));
  labels = $derived(
    placeLabels(
      this.failing.filter((edge) => !isEvent(edge.kind)).map((edge) => this.#wanted(edge, errorRate(edge), pillSize)),
      this.nodes,
    ),
  );
  /** Of a large map only those in view. */
  pills = $derived(this.large ? this.labels.filter((label) => this.#inRegion(label)) : this.labels);
  #labelled = $derived(new Set(this.labels.map((label) => label.id)));
  /** Rates beside their lines, for large scales. */
  figures = $derived(
    placeLabels(
      this.edges.filter((edge) => (this.#near?.has(edge.id) ?? true) && this.#hasFigure(edge)).map((edge) => this.#wanted(edge, rate(edge.figures.rate), figureSize)),
      [...this.nodes, ...this.labels],
      true,
    ),
  );

  selection = $derived(selectedIds(route.params));
  selectedNodes = $derived([...this.selection].map((id) => landscape.node(id)).filter((node) => node !== undefined));
  selectedNode = $derived<MapNode | null>(this.selectedNodes[0] ?? null);
  selectedEdge = $derived<MapEdge | null>(landscape.current?.edges.get(route.param('edge') ?? '') ?? null);
  flow = $derived<'calls' | 'data'>(route.param('flow') === 'data' ? 'data' : 'calls');
  asTable = $derived(route.param('view') === 'table');
  quiet = $derived(new Map((landscape.current?.quiet ?? []).map((source) => [source.participant, source.lastAt])));
  /** Since when a participant, or somebody behind its card, has been quiet; null while it sends. */
  quietSince(node: MapNode): number | null {
    const times = [node.id, ...node.members.map((member) => member.id)].map((id) => this.quiet.get(id)).filter((at) => at !== undefined);
    return times.length === 0 ? null : Math.max(...times);
  }

  /** Large maps, and drawings that reach far beyond the view, get an overview. */
  minimap = $derived.by(() => {
    const { width, height, k } = this.camera;
    const beyond = (times: number) => this.bounds.width * k > times * width || this.bounds.height * k > times * height;
    // Beside a map that is seen whole it would only cover something.
    return this.minimapAsked ?? ((this.nodes.length > MINIMAP && beyond(1)) || beyond(2));
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

  #inRegion(point: { x: number; y: number } | undefined): boolean {
    const { region } = this;
    return !!region && !!point && point.x >= region.x && point.x <= region.x + region.width && point.y >= region.y && point.y <= region.y + region.height;
  }

  /** Participants whose cards touch a part of the drawing. */
  nodesIn(box: Bounds): MapNode[] {
    return this.#cardSpace(this.nodes).within(box);
  }

  /** What is drawn at a point of the screen, counted from the corner of the map. */
  pick(left: number, top: number): { type: 'node' | 'edge'; id: string } | null {
    const { x, y, k } = this.camera;
    const [at, down] = [(left - x) / k, (top - y) / k];
    const node = this.#cardSpace(this.nodes).around(at, down, 0)[0];
    if (node) return { type: 'node', id: node.id };
    const near = this.#lineSpace(this.routes).around(at, down, NEAR / k).map((id) => ({ id, far: this.routes.get(id)?.distance(at, down) ?? Number.POSITIVE_INFINITY }));
    const nearest = near.reduce((best, line) => (line.far < best.far ? line : best), { id: '', far: NEAR / k });
    return nearest.id === '' ? null : { type: 'edge', id: nearest.id };
  }

  /** Deliveries at the rate of their topic say nothing new. */
  #hasFigure(edge: MapEdge): boolean {
    if (edge.goneAt !== null || this.#labelled.has(edge.id)) return false;
    return edge.kind !== 'consume' || rate(edge.figures.rate) !== rate(landscape.node(edge.source)?.figures.rate ?? null);
  }

  #wanted(edge: MapEdge, text: string, size: typeof pillSize): Wanted {
    return { id: edge.id, text, along: this.routes.get(edge.id)?.along ?? [], ...size(text) };
  }

  /** Selects one participant, or with `more` adds or takes it away. */
  select(node: string | null, more = false): void {
    if (node !== null) this.roving = node;
    if (more && node !== null) {
      const next = new Set(this.selection);
      if (!next.delete(node)) next.add(node);
      return this.selectAll(next);
    }
    this.selectAll(node === null ? [] : [node]);
  }

  /** Selects several. */
  selectAll(ids: Iterable<string>): void {
    route.set({ ...selectionParams(ids), edge: null }, { push: true });
  }

  selectEdge(edge: string | null): void {
    route.set({ edge, ...selectionParams([]) }, { push: true });
  }

  /** Folds or unfolds a domain. */
  fold(domain: string, folded: boolean): void {
    const now = (landscape.current?.domains ?? []).filter((known) => known.folded).map((known) => known.name);
    route.set({ fold: foldParam(folded ? [...now, domain] : now.filter((name) => name !== domain)) }, { push: true });
  }

  setFlow(flow: 'calls' | 'data'): void {
    route.set({ flow: flow === 'data' ? 'data' : null });
  }

  setTable(on: boolean): void {
    route.set({ view: on ? 'table' : null }, { push: true });
  }

  /** Steps back: selection, then filter. */
  back(): void {
    if (this.selectedNode || this.selectedEdge) this.select(null);
    else this.filter.set('');
  }

  /** Moves the roving focus, and with `more` selects on the way; the answer is the node to focus. */
  move(key: string, more = false): MapNode | undefined {
    const from = this.nodes.find((node) => node.id === this.roving) ?? this.nodes[0];
    const to = from && neighbour(this.nodes, from, key);
    if (to) {
      if (more) this.selectAll(new Set([...this.selection, from.id, to.id]));
      this.roving = to.id;
      this.camera.reveal(boundsOf(to));
    }
    return to;
  }

  /** Fits the selection, or everything. */
  fit(selection = true): void {
    const { selection: chosen } = this;
    if (!selection || !this.selectedNode) {
      this.camera.touched = false;
      return this.camera.fit(this.bounds);
    }
    const ids = new Set(chosen);
    if (chosen.size === 1) this.edges.filter((edge) => chosen.has(edge.source) || chosen.has(edge.target)).forEach((edge) => ids.add(edge.source).add(edge.target));
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

/** A function that knows its last answer: for what is asked outside of effects, where nothing derived is kept. */
function latest<A extends object, B>(make: (of: A) => B): (of: A) => B {
  let known: { of: A; answer: B } | undefined;
  return (of) => (known?.of === of ? known : (known = { of, answer: make(of) })).answer;
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
