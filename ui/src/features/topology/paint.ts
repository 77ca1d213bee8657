/** Large maps are painted: their lines always, their cards while these are too small for figures. In pieces, so that nothing else has to wait. */

import type { Band } from '../../lib/bindings';
import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import { fitMiddle, textWidth } from '../../shared/ui/measure';
import type { Bounds } from './camera.svelte';
import { isEvent, PAD, traceArrow, widthOf } from './geometry';
import type { Ink } from './ink';
import type { Label } from './labels';
import type { Route } from './route';

/** From where the map is seen: the pixel of a point of the drawing is `point * k + x`. */
export interface View {
  x: number;
  y: number;
  k: number;
  width: number;
  height: number;
}

/** What is painted. */
export interface Subject {
  /** Columns of the layers. */
  bands: readonly Band[];
  edges: readonly MapEdge[];
  routes: ReadonlyMap<string, Route>;
  /** Empty where cards are elements of their own. */
  nodes: readonly MapNode[];
  /** Figures beside the lines. */
  figures: readonly Label[];
  /** Scale from which on names are written, and lines have arrows. */
  named: number;
  /** Arrows show the way of the data. */
  data: boolean;
  isFound(node: MapNode): boolean;
  /** Does not match the filter. */
  isMissed(node: MapNode): boolean;
  isMissedLine(edge: MapEdge): boolean;
  isWeak(edge: MapEdge): boolean;
}

/** What the painter needs of a canvas. */
export type Context = Pick<
  CanvasRenderingContext2D,
  | 'beginPath' | 'moveTo' | 'lineTo' | 'quadraticCurveTo' | 'bezierCurveTo' | 'roundRect' | 'arc' | 'stroke' | 'fill' | 'fillText' | 'strokeText' | 'fillRect' | 'setTransform' | 'setLineDash'
  | 'fillStyle' | 'strokeStyle' | 'lineWidth' | 'globalAlpha' | 'font' | 'textAlign' | 'textBaseline' | 'lineJoin'
>;

/** Lines and cards painted before the caller is asked again. */
const AT_ONCE = 24;
const RADIUS = 8;
/** Names are written at this size on screen. */
const NAME = 10.5;
const LINE_HEIGHT = 1.15;
/** Figures beside lines, pixels at 100 %. */
const FIGURE = 11;

/** The part of the drawing that a picture shows. */
export function areaOf(view: View): Bounds {
  return { x: -view.x / view.k, y: -view.y / view.k, width: view.width / view.k, height: view.height / view.k };
}

/** Paints a picture of `density` pixels for each of the screen; ends a step after a few lines or cards. What fails comes last, so that nothing covers it. */
export function* paint(context: Context, view: View, density: number, subject: Subject, ink: Ink): Generator<void> {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = 1;
  context.fillStyle = ink.ground;
  context.fillRect(0, 0, view.width, view.height);
  columns(context, view, density, subject, ink);
  context.setTransform(view.k, 0, 0, view.k, view.x, view.y);
  const area = areaOf(view);
  const scale = view.k / density;
  const close = scale >= subject.named;
  for (const [style, edges] of groups(subject, area)) {
    let painted = 0;
    for (let from = 0; from < edges.length; from += AT_ONCE) {
      lines(context, edges.slice(from, from + AT_ONCE), style, { subject, ink, close, pixel: 1 / scale });
      painted += AT_ONCE;
      if (painted < edges.length) yield;
    }
    yield;
  }
  let count = 0;
  for (const label of subject.figures) {
    figure(context, label, ink);
    count += 1;
    if (count % AT_ONCE === 0) yield;
  }
  const nodes = subject.nodes.filter((node) => touches(area, { x: node.x - node.width / 2, y: node.y - node.height / 2, width: node.width, height: node.height }));
  for (const node of nodes.sort((a, b) => Number(a.health === 'failing') - Number(b.health === 'failing'))) {
    card(context, node, { subject, ink, close, pixel: 1 / scale });
    count += 1;
    if (count % AT_ONCE === 0) yield;
  }
}

/** They span the whole height, wherever the map is. */
function columns(context: Context, view: View, density: number, subject: Subject, ink: Ink): void {
  context.setLineDash([]);
  context.fillStyle = ink.band;
  context.strokeStyle = ink.bandLine;
  context.lineWidth = density;
  for (const band of subject.bands) {
    if (band.count === 0 || band.layer === 'event') continue;
    context.beginPath();
    context.roundRect((band.x - PAD) * view.k + view.x, -view.height, (band.width + 2 * PAD) * view.k, 3 * view.height, RADIUS * density);
    context.fill();
    context.stroke();
  }
}

interface Style {
  event: boolean;
  failing: boolean;
  weak: boolean;
  faded: number;
  width: number;
}

interface Means {
  subject: Subject;
  ink: Ink;
  /** Whether names and arrows are painted. */
  close: boolean;
  /** A pixel of the screen, in pixels of the drawing. */
  pixel: number;
}

/** Lines of one look together: a stroke for many costs less than many strokes. */
function groups(subject: Subject, area: Bounds): [Style, [MapEdge, Route][]][] {
  const found = new Map<string, [Style, [MapEdge, Route][]]>();
  for (const edge of subject.edges) {
    const route = subject.routes.get(edge.id);
    if (!route || !touches(area, route.box)) continue;
    const event = isEvent(edge.kind);
    const weak = subject.isWeak(edge);
    const faded = edge.goneAt !== null ? 0.3 : subject.isMissedLine(edge) ? 0.2 : 1;
    const width = weak ? 0.75 : event ? 1.4 : Math.round(widthOf(edge.figures.rate) * 2) / 2;
    const style: Style = { event, failing: edge.health === 'failing', weak, faded, width };
    const key = `${event} ${style.failing} ${weak} ${faded} ${width}`;
    const group = found.get(key);
    if (group) group[1].push([edge, route]);
    else found.set(key, [style, [[edge, route]]]);
  }
  const rank = ({ failing, faded, event, width }: Style) => (failing ? 1000 : 0) + faded * 100 + (event ? 50 : 0) + width;
  return [...found.values()].sort(([a], [b]) => rank(a) - rank(b));
}

function lines(context: Context, edges: [MapEdge, Route][], style: Style, { subject, ink, close, pixel }: Means): void {
  const colour = style.failing ? ink.failing : style.event ? ink.event : ink.call;
  // From afar thousands of lines are a ground for what stands out.
  const far = close || style.failing ? 1 : 0.4;
  context.globalAlpha = far * style.faded * (style.weak ? 0.6 : style.event && !style.failing ? 0.85 : 1);
  context.strokeStyle = colour;
  // Far away a line is a pixel wide, what fails a little more.
  context.lineWidth = Math.max(style.width, pixel * (style.failing ? 1.5 : 0.8));
  context.setLineDash(style.event && close ? [6, 4] : []);
  context.beginPath();
  for (const [, route] of edges) route.trace(context);
  context.stroke();
  if (!close) return;
  context.setLineDash([]);
  context.fillStyle = style.failing ? ink.failing : style.event ? ink.event : ink.head;
  context.beginPath();
  for (const [, route] of edges) traceArrow(context, subject.data && !style.event ? route.tail : route.head);
  context.fill();
  if (!style.event) return;
  context.beginPath();
  for (const [, route] of edges) {
    const { x, y } = route.middle ?? route.head;
    context.moveTo(x, y - 4.5);
    context.lineTo(x + 4.5, y);
    context.lineTo(x, y + 4.5);
    context.lineTo(x - 4.5, y);
    context.lineTo(x, y - 4.5);
  }
  context.fill();
}

/** A figure, with a rim that keeps it apart from the lines. */
function figure(context: Context, label: Label, ink: Ink): void {
  context.font = `400 ${FIGURE}px ${ink.font}`;
  [context.textAlign, context.textBaseline, context.lineJoin, context.lineWidth] = ['center', 'middle', 'round', 3];
  [context.strokeStyle, context.fillStyle, context.globalAlpha] = [ink.ground, ink.figure, 1];
  context.strokeText(label.text, label.x, label.y);
  context.fillText(label.text, label.x, label.y);
  context.textAlign = 'start';
}

function card(context: Context, node: MapNode, { subject, ink, close, pixel }: Means): void {
  const [left, top] = [node.x - node.width / 2, node.y - node.height / 2];
  const topic = node.kind === 'topic';
  const failing = node.health === 'failing';
  const bad = failing || node.health === 'degraded';
  const layer = topic ? ink.event : (ink.layers[node.layer] ?? ink.quiet);
  const back = node.goneAt !== null || subject.isMissed(node);
  const round = topic ? node.height / 2 : RADIUS;
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.fillStyle = ink.ground;
  plate(context, left, top, node, round);
  context.fill();
  context.globalAlpha = back ? 0.35 : 1;
  context.fillStyle = failing ? ink.failingCard : topic ? ink.eventCard : ink.card;
  context.fill();
  if (!close && !back) {
    // Too small for a name: a card is known by the colour of its layer.
    context.globalAlpha = failing ? 0.75 : 0.45;
    context.fillStyle = failing ? ink.failing : layer;
    context.fill();
    context.globalAlpha = 1;
  }
  const guessed = node.kind === 'service' && (node.layerSource === 'inferred' || !node.instrumented);
  context.setLineDash(close && guessed ? [4 * pixel, 3 * pixel] : []);
  context.strokeStyle = failing ? ink.failing : node.health === 'degraded' ? ink.degraded : topic ? ink.eventLine : close ? ink.outline : layer;
  context.lineWidth = pixel * (bad ? 1.5 : 1);
  context.stroke();
  if (subject.isFound(node)) {
    context.setLineDash([]);
    context.strokeStyle = ink.found;
    context.lineWidth = 2 * pixel;
    plate(context, left - 2 * pixel, top - 2 * pixel, { width: node.width + 4 * pixel, height: node.height + 4 * pixel }, round);
    context.stroke();
  }
  if (close) written(context, node, { left, layer, bad, failing, back }, { ink, pixel });
  context.globalAlpha = 1;
}

function plate(context: Context, x: number, y: number, { width, height }: { width: number; height: number }, round: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(round, height / 2));
}

/** Name, the mark of the layer and that of its health. */
function written(context: Context, node: MapNode, look: { left: number; layer: string; bad: boolean; failing: boolean; back: boolean }, { ink, pixel }: Pick<Means, 'ink' | 'pixel'>): void {
  const topic = node.kind === 'topic';
  const size = NAME * pixel;
  if (!topic) {
    context.fillStyle = look.layer;
    context.fillRect(look.left, node.y - node.height / 2 + 10, 3, node.height - 20);
  }
  if (look.bad) {
    context.fillStyle = look.failing ? ink.failing : ink.degraded;
    context.beginPath();
    context.arc(look.left + node.width - 8 - 3 * pixel, node.y - node.height / 2 + 6 + 3 * pixel, 3 * pixel, 0, 2 * Math.PI);
    context.fill();
  }
  context.fillStyle = look.back ? ink.quiet : ink.text;
  context.font = `500 ${size}px ${ink.font}`;
  context.textBaseline = 'middle';
  const room = (node.width - 20 - (look.bad ? 8 * pixel : 0)) / pixel;
  const rows = rowsOf(node.name, room, topic ? 1 : Math.min(2, Math.floor((node.height - 8) / (size * LINE_HEIGHT))));
  rows.forEach((row, i) => context.fillText(row, look.left + 11, node.y + (i - (rows.length - 1) / 2) * size * LINE_HEIGHT));
}

const width = (text: string) => textWidth(text, 500, NAME);

/** A name on at most so many rows of a width in pixels: cut at a joint where there is one, the last row shortened in its middle. */
export function rowsOf(name: string, room: number, most: number): string[] {
  if (most <= 1 || width(name) <= room) return [fitMiddle(name, room, width)];
  let length = name.length;
  while (length > 1 && width(name.slice(0, length)) > room) length -= 1;
  const joint = Math.max(...[...'-._/ '].map((mark) => name.lastIndexOf(mark, length - 1))) + 1;
  const cut = joint > length / 3 ? joint : length;
  return [name.slice(0, cut), ...rowsOf(name.slice(cut), room, most - 1)];
}

function touches(a: Bounds, b: Bounds): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}
