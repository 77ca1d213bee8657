import { pathRound } from 'd3-path';
import type { Point } from '../../lib/bindings';
import { Angled, Curved, type Cubic, type Pen, type Route, type Tip } from './route';

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

/** Space left between a card and the tip of an arrow. */
const GAP = 3;
/** Arrowhead length; the line ends where the head begins. */
export const HEAD = 7;
/** Between the cards of a layer and the edge of its column. */
export const PAD = 10;
const PORT_GAP = 13;
const LANE = 8;

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
    const [head, tail]: Tip[] = [{ ...end, dir: flip(into) }, { ...start, dir: flip(out) }];
    const route = isEvent(line.kind) ? new Angled(head!, tail!, angled(points, out, into, lanes.get(line.id) ?? 0)) : new Curved(head!, tail!, curved(points, out, into));
    result.set(line.id, route);
  }
  return result;
}

/** Whether two maps are drawn with the same lines. */
export function sameDrawing(a: { nodes: readonly Box[]; edges: readonly Line[] }, b: { nodes: readonly Box[]; edges: readonly Line[] }): boolean {
  if (a.nodes.length !== b.nodes.length || a.edges.length !== b.edges.length) return false;
  const sameBox = (p: Box, q: Box) => p === q || (p.id === q.id && p.kind === q.kind && p.x === q.x && p.y === q.y && p.width === q.width && p.height === q.height);
  const sameWay = (p: Point[], q: Point[]) => p === q || (p.length === q.length && p.every((point, i) => point.x === q[i]!.x && point.y === q[i]!.y));
  return a.nodes.every((node, i) => sameBox(node, b.nodes[i]!)) && a.edges.every((edge, i) => edge === b.edges[i] || (edge.id === b.edges[i]!.id && sameWay(edge.waypoints, b.edges[i]!.waypoints)));
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

/** A smooth curve through all points, level at each of them. */
function curved(points: Point[], out: Side, into: Side): Cubic[] {
  return points.slice(1).map((q, i): Cubic => {
    const p = points[i]!;
    const around = points.length === 2 && out === into;
    const bend = around ? 44 : Math.max(12, Math.abs(q.x - p.x) * 0.5);
    const dir: Side = q.x >= p.x ? 1 : -1;
    return [p, { x: p.x + (around ? out : dir) * bend, y: p.y }, { x: q.x + (around ? into : -dir) * bend, y: q.y }, q];
  });
}

/** Corners of level and upright pieces. */
function angled(points: Point[], out: Side, into: Side, lane: number): Point[] {
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
  return corners;
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

/** Draws an arrowhead with its tip at a point. */
export function traceArrow(pen: Pen, at: Tip, size = HEAD): void {
  const back = at.x - at.dir * size;
  pen.moveTo(at.x, at.y);
  pen.lineTo(back, at.y - size * 0.55);
  pen.lineTo(back, at.y + size * 0.55);
  pen.lineTo(at.x, at.y);
}

/** An arrowhead with its tip at a point, as an SVG path. */
export function arrow(at: Tip, size = HEAD): string {
  const path = pathRound(1);
  traceArrow(path, at, size);
  return path.toString();
}

/** Stroke width of a call: 1 px and more with the square root of its rate. */
export function widthOf(rate: number | null): number {
  return Math.min(8, 1 + Math.sqrt(Math.max(0, rate ?? 0)) / 4.2);
}
