import type { Point } from '../../lib/bindings';

/** A card: centre and size at 100 %. */
export interface Box {
  id: string;
  kind: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What is needed of an interaction to draw it. */
export interface Line {
  id: string;
  source: string;
  target: string;
  kind: string;
  waypoints: Point[];
}

/** A drawn interaction. */
export interface Route {
  /** SVG path from source to target. */
  d: string;
  /** Points along it, evenly enough to place labels and diamonds. */
  along: Point[];
  /** Arrowhead at the target: tip and direction (1 to the right, -1 to the left). */
  head: Point & { dir: 1 | -1 };
  /** The same at the source, for arrows against the call. */
  tail: Point & { dir: 1 | -1 };
}

/** Space left between a card and the tip of an arrow. */
const GAP = 3;
/** Arrowhead length; the line ends where the head begins. */
export const HEAD = 7;
const PORT_GAP = 13;
const LANE = 8;
const CORNER = 6;

type Side = 1 | -1;

interface Port {
  edge: string;
  end: 'source' | 'target';
  side: Side;
  /** Height of what the port looks at. */
  toward: number;
}

/** Whether an interaction is drawn as an event route. */
export function isEvent(kind: string): boolean {
  return kind === 'publish' || kind === 'consume';
}

/** Routes of all interactions whose two ends are on the map. Pure: the same map gives the same drawing. */
export function routes(boxes: ReadonlyMap<string, Box>, lines: readonly Line[]): Map<string, Route> {
  const drawable = lines.filter((line) => boxes.has(line.source) && boxes.has(line.target));
  const heights = portHeights(boxes, drawable);
  const lanes = topicLanes(boxes, drawable);
  const result = new Map<string, Route>();
  for (const line of drawable) {
    const source = boxes.get(line.source)!;
    const target = boxes.get(line.target)!;
    const [out, into] = sides(source, target, line.waypoints);
    const start = { x: source.x + out * (source.width / 2 + GAP), y: heights.get(`${line.id} source`) ?? source.y };
    const end = { x: target.x + into * (target.width / 2 + GAP), y: heights.get(`${line.id} target`) ?? target.y };
    const points = [{ x: start.x, y: start.y }, ...line.waypoints, { x: end.x, y: end.y }];
    const drawn = isEvent(line.kind) ? angled(points, out, into, lanes.get(line.id) ?? 0) : curved(points, out, into);
    result.set(line.id, { ...drawn, head: { ...end, dir: flip(into) }, tail: { ...start, dir: flip(out) } });
  }
  return result;
}

/** On which side of its cards a line leaves and arrives. */
function sides(source: Box, target: Box, waypoints: Point[]): [Side, Side] {
  const first = waypoints[0] ?? target;
  const last = waypoints.at(-1) ?? source;
  const sameColumn = Math.abs(source.x - target.x) < (source.width + target.width) / 2;
  if (waypoints.length === 0 && sameColumn) return [1, 1];
  return [first.x >= source.x ? 1 : -1, last.x >= target.x ? 1 : -1];
}

function flip(side: Side): Side {
  return side === 1 ? -1 : 1;
}

/** Spreads what leaves and arrives on one side of a card, in the order of where it comes from. */
function portHeights(boxes: ReadonlyMap<string, Box>, lines: readonly Line[]): Map<string, number> {
  const bySide = new Map<string, Port[]>();
  for (const line of lines) {
    const source = boxes.get(line.source)!;
    const target = boxes.get(line.target)!;
    const [out, into] = sides(source, target, line.waypoints);
    add(bySide, line.source, { edge: line.id, end: 'source', side: out, toward: (line.waypoints[0] ?? target).y });
    add(bySide, line.target, { edge: line.id, end: 'target', side: into, toward: (line.waypoints.at(-1) ?? source).y });
  }
  const heights = new Map<string, number>();
  for (const [key, ports] of bySide) {
    const box = boxes.get(key.slice(key.indexOf(' ') + 1))!;
    if (box.kind === 'topic') {
      topicPorts(box, ports).forEach(([port, y]) => heights.set(`${port.edge} ${port.end}`, y));
      continue;
    }
    const room = box.height - 20;
    ports.sort((a, b) => a.toward - b.toward || (a.edge < b.edge ? -1 : 1));
    const step = ports.length > 1 ? Math.min(PORT_GAP, room / (ports.length - 1)) : 0;
    ports.forEach((port, i) => heights.set(`${port.edge} ${port.end}`, box.y + (i - (ports.length - 1) / 2) * step));
  }
  return heights;
}

/** A topic is one thing: all that comes in meets in one point of a side, all that goes out in another. */
function topicPorts(box: Box, ports: Port[]): [Port, number][] {
  const both = new Set(ports.map((port) => port.end)).size > 1;
  return ports.map((port) => [port, box.y + (both ? (port.end === 'target' ? -5 : 5) : 0)]);
}

function add(bySide: Map<string, Port[]>, node: string, port: Port): void {
  const key = `${port.side} ${node}`;
  const list = bySide.get(key);
  if (list) list.push(port);
  else bySide.set(key, [port]);
}

/** Distance of an event route's upright from its topic: one lane per topic and direction, so that routes of different topics do not hide each other. */
function topicLanes(boxes: ReadonlyMap<string, Box>, lines: readonly Line[]): Map<string, number> {
  const trunks = new Map<string, { key: string; x: number; y: number; edges: string[] }>();
  for (const line of lines.filter(({ kind }) => isEvent(kind))) {
    const source = boxes.get(line.source)!;
    const target = boxes.get(line.target)!;
    const topic = line.kind === 'publish' ? target : source;
    const [out, into] = sides(source, target, line.waypoints);
    const side = line.kind === 'publish' ? into : out;
    const key = `${topic.id} ${line.kind} ${side}`;
    const trunk = trunks.get(key) ?? { key, x: topic.x + (side * topic.width) / 2, y: topic.y, edges: [] };
    trunk.edges.push(line.id);
    trunks.set(key, trunk);
  }
  const bySide = new Map<number, { key: string; y: number; edges: string[] }[]>();
  for (const trunk of trunks.values()) {
    const gap = Math.round(trunk.x / 24);
    bySide.set(gap, [...(bySide.get(gap) ?? []), trunk]);
  }
  const lanes = new Map<string, number>();
  for (const side of bySide.values()) {
    side.sort((a, b) => a.y - b.y || (a.key < b.key ? -1 : 1));
    const step = Math.min(LANE, 56 / Math.max(1, side.length));
    side.forEach((trunk, i) => trunk.edges.forEach((edge) => lanes.set(edge, 18 + i * step)));
  }
  return lanes;
}

type Drawn = Pick<Route, 'd' | 'along'>;

/** A smooth curve through all points, level at each of them. */
function curved(points: Point[], out: Side, into: Side): Drawn {
  const first = points[0]!;
  const along: Point[] = [];
  let d = `M${n(first.x)},${n(first.y)}`;
  for (let i = 1; i < points.length; i += 1) {
    const p = points[i - 1]!;
    const q = points[i]!;
    const around = points.length === 2 && out === into;
    const bend = around ? 44 : Math.max(12, Math.abs(q.x - p.x) * 0.5);
    const dir: Side = q.x >= p.x ? 1 : -1;
    const a = { x: p.x + (around ? out : dir) * bend, y: p.y };
    const b = { x: q.x + (around ? into : -dir) * bend, y: q.y };
    d += `C${n(a.x)},${n(a.y)} ${n(b.x)},${n(b.y)} ${n(q.x)},${n(q.y)}`;
    for (let t = i === 1 ? 0 : 1; t <= 16; t += 1) along.push(bezier(p, a, b, q, t / 16));
  }
  return { d, along };
}

function bezier(p: Point, a: Point, b: Point, q: Point, t: number): Point {
  const s = 1 - t;
  const mix = (w: number, x: number, y: number, z: number) => s * s * s * w + 3 * s * s * t * x + 3 * s * t * t * y + t * t * t * z;
  return { x: mix(p.x, a.x, b.x, q.x), y: mix(p.y, a.y, b.y, q.y) };
}

/** Level and upright pieces with rounded corners. */
function angled(points: Point[], out: Side, into: Side, lane: number): Drawn {
  const corners: Point[] = [points[0]!];
  for (let i = 1; i < points.length; i += 1) {
    const p = points[i - 1]!;
    const q = points[i]!;
    if (points.length === 2 && out === into) {
      const x = (out === 1 ? Math.max(p.x, q.x) : Math.min(p.x, q.x)) + out * lane;
      corners.push({ x, y: p.y }, { x, y: q.y });
    } else if (Math.abs(p.y - q.y) > 0.5) {
      const x = uprightAt(points, i, lane);
      corners.push({ x, y: p.y }, { x, y: q.y });
    }
    corners.push(q);
  }
  return { d: rounded(corners), along: sampled(corners) };
}

/** Where the upright of a piece stands: `lane` before or behind the topic, else half way, never outside of the piece. */
function uprightAt(points: Point[], i: number, lane: number): number {
  const p = points[i - 1]!;
  const q = points[i]!;
  const dir = q.x >= p.x ? 1 : -1;
  const width = Math.abs(q.x - p.x);
  const offset = Math.min(lane, width * 0.7);
  return p.x + dir * (i === 1 ? width - offset : offset);
}

function rounded(corners: Point[]): string {
  const first = corners[0]!;
  let d = `M${n(first.x)},${n(first.y)}`;
  for (let i = 1; i < corners.length - 1; i += 1) {
    const [p, c, q] = [corners[i - 1]!, corners[i]!, corners[i + 1]!];
    const before = Math.hypot(c.x - p.x, c.y - p.y);
    const after = Math.hypot(q.x - c.x, q.y - c.y);
    const r = Math.min(CORNER, before / 2, after / 2);
    if (r < 0.5) {
      d += `L${n(c.x)},${n(c.y)}`;
      continue;
    }
    d += `L${n(c.x + ((p.x - c.x) / before) * r)},${n(c.y + ((p.y - c.y) / before) * r)}`;
    d += `Q${n(c.x)},${n(c.y)} ${n(c.x + ((q.x - c.x) / after) * r)},${n(c.y + ((q.y - c.y) / after) * r)}`;
  }
  const last = corners.at(-1)!;
  return `${d}L${n(last.x)},${n(last.y)}`;
}

function sampled(corners: Point[]): Point[] {
  const along: Point[] = [corners[0]!];
  for (let i = 1; i < corners.length; i += 1) {
    const p = corners[i - 1]!;
    const q = corners[i]!;
    const steps = Math.max(1, Math.round(Math.hypot(q.x - p.x, q.y - p.y) / 10));
    for (let t = 1; t <= steps; t += 1) along.push({ x: p.x + ((q.x - p.x) * t) / steps, y: p.y + ((q.y - p.y) * t) / steps });
  }
  return along;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** An arrowhead with its tip at a point. */
export function arrow(at: Point & { dir: 1 | -1 }, size = HEAD): string {
  const back = at.x - at.dir * size;
  return `M${n(at.x)},${n(at.y)}L${n(back)},${n(at.y - size * 0.55)}L${n(back)},${n(at.y + size * 0.55)}Z`;
}

/** Stroke width of a call: 1 px and more with the square root of its rate. */
export function widthOf(rate: number | null): number {
  return Math.min(8, 1 + Math.sqrt(Math.max(0, rate ?? 0)) / 4.2);
}
