import { pathRound } from 'd3-path';
import type { Point } from '../../lib/bindings';
import type { Bounds } from './camera.svelte';

/** What a route is drawn with: a canvas, or the path of an SVG. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void;
  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void;
}

/** An end of a line: where it is, and the way an arrow there points (1 to the right, -1 to the left). */
export type Tip = Point & { dir: 1 | -1 };

const CORNER = 6;
/** Points that a curve is followed in. */
const STEPS = 16;
/** Pixels from point to point along straight pieces. */
const STRIDE = 10;

/** A drawn interaction. What is only needed of some (letters of an SVG path, points along it) is made when it is asked for. */
export abstract class Route {
  #d: string | undefined;
  #along: Point[] | undefined;
  #box: Bounds | undefined;

  constructor(
    /** Arrowhead at the target. */
    readonly head: Tip,
    /** The same at the source, for arrows against the call. */
    readonly tail: Tip,
  ) {}

  /** Draws it from source to target. */
  abstract trace(pen: Pen): void;
  protected abstract sampled(): Point[];
  /** Calls with points that it lies between. */
  protected abstract frame(each: (point: Point) => void): void;

  /** SVG path from source to target. */
  get d(): string {
    if (this.#d === undefined) {
      const path = pathRound(1);
      this.trace(path);
      this.#d = path.toString();
    }
    return this.#d;
  }

  /** Points along it, evenly enough to place labels and diamonds. */
  get along(): Point[] {
    return (this.#along ??= this.sampled());
  }

  /** A rectangle that it does not leave. */
  get box(): Bounds {
    if (this.#box) return this.#box;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    this.frame(({ x, y }) => {
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    });
    return (this.#box = { x: left, y: top, width: right - left, height: bottom - top });
  }

  /** Where its sign stands. */
  get middle(): Point | undefined {
    return this.along[Math.floor(this.along.length / 2)];
  }

  /** How far a point is from it, about. */
  distance(x: number, y: number): number {
    return this.along.slice(1).reduce((least, q, i) => Math.min(least, toPiece(x, y, this.along[i]!, q)), Number.POSITIVE_INFINITY);
  }
}

/** A cubic Bézier curve: ends and, between them, what they are drawn to. */
export type Cubic = readonly [Point, Point, Point, Point];

/** A smooth line of curves. */
export class Curved extends Route {
  constructor(head: Tip, tail: Tip, readonly pieces: readonly Cubic[]) {
    super(head, tail);
  }

  trace(pen: Pen): void {
    const first = this.pieces[0]?.[0];
    if (first) pen.moveTo(first.x, first.y);
    for (const [, a, b, q] of this.pieces) pen.bezierCurveTo(a.x, a.y, b.x, b.y, q.x, q.y);
  }

  protected sampled(): Point[] {
    const along: Point[] = [];
    for (const piece of this.pieces) {
      for (let step = along.length === 0 ? 0 : 1; step <= STEPS; step += 1) along.push(at(piece, step / STEPS));
    }
    return along;
  }

  protected frame(each: (point: Point) => void): void {
    for (const piece of this.pieces) piece.forEach(each);
  }
}

/** Level and upright pieces with rounded corners. */
export class Angled extends Route {
  constructor(head: Tip, tail: Tip, readonly corners: readonly Point[]) {
    super(head, tail);
  }

  trace(pen: Pen): void {
    const { corners } = this;
    const [first, last] = [corners[0], corners.at(-1)];
    if (!first || !last) return;
    pen.moveTo(first.x, first.y);
    for (let i = 1; i < corners.length - 1; i += 1) {
      const [p, c, q] = [corners[i - 1]!, corners[i]!, corners[i + 1]!];
      const before = Math.hypot(c.x - p.x, c.y - p.y);
      const after = Math.hypot(q.x - c.x, q.y - c.y);
      const r = Math.min(CORNER, before / 2, after / 2);
      if (r < 0.5) {
        pen.lineTo(c.x, c.y);
        continue;
      }
      pen.lineTo(c.x + ((p.x - c.x) / before) * r, c.y + ((p.y - c.y) / before) * r);
      pen.quadraticCurveTo(c.x, c.y, c.x + ((q.x - c.x) / after) * r, c.y + ((q.y - c.y) / after) * r);
    }
    pen.lineTo(last.x, last.y);
  }

  protected sampled(): Point[] {
    const along: Point[] = [this.corners[0]!];
    for (let i = 1; i < this.corners.length; i += 1) {
      const p = this.corners[i - 1]!;
      const q = this.corners[i]!;
      const steps = Math.max(1, Math.round(Math.hypot(q.x - p.x, q.y - p.y) / STRIDE));
      for (let t = 1; t <= steps; t += 1) along.push({ x: p.x + ((q.x - p.x) * t) / steps, y: p.y + ((q.y - p.y) * t) / steps });
    }
    return along;
  }

  protected frame(each: (point: Point) => void): void {
    this.corners.forEach(each);
  }
}

function at([p, a, b, q]: Cubic, t: number): Point {
  const s = 1 - t;
  const mix = (w: number, x: number, y: number, z: number) => s * s * s * w + 3 * s * s * t * x + 3 * s * t * t * y + t * t * t * z;
  return { x: mix(p.x, a.x, b.x, q.x), y: mix(p.y, a.y, b.y, q.y) };
}

function toPiece(x: number, y: number, p: Point, q: Point): number {
  const [dx, dy] = [q.x - p.x, q.y - p.y];
  const long = dx * dx + dy * dy;
  const t = long === 0 ? 0 : Math.max(0, Math.min(1, ((x - p.x) * dx + (y - p.y) * dy) / long));
  return Math.hypot(x - p.x - t * dx, y - p.y - t * dy);
}
